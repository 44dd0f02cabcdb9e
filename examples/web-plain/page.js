import { slim } from "./slim.js";

const $ = (id) => document.getElementById(id);
const say = (line) => {
  $("log").textContent += `${line}\n`;
};

$("start").onclick = async () => {
  try {
    const bytes = await slim($("model").files[0], $("images").files, say);
    $("save").href = URL.createObjectURL(new Blob([bytes]));
    $("save").hidden = false;
    say("done");
  } catch (error) {
    say(`failed: ${error.message}`);
  }
};
