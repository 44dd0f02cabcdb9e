const $ = (id) => document.getElementById(id);
const say = (line) => {
  $("log").textContent += `${line}\n`;
};

// The engine computes on the thread that asks: in a worker, so that the page stays alive.
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data: { line, bytes } }) => {
  if (line) say(line);
  if (!bytes) return;
  $("save").href = URL.createObjectURL(new Blob([bytes]));
  $("save").hidden = false;
  say("done");
};

// Folders of files do not travel with them.
const placed = (file) => ({ path: file.webkitRelativePath, file });
$("start").onclick = () => {
  worker.postMessage({ model: $("model").files[0], images: [...$("images").files].map(placed) });
};
