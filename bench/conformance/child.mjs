// Checks the cases that it is sent, one at a time; see run.mjs. A process of its own, because sessions keep memory and a
// crash of the engine should cost one case.
import { nodeEngine } from "../../dist/node.js";
import { readIndex } from "./cases.mjs";
import { checkForward } from "./forward.mjs";
import { checkGradient } from "./gradient.mjs";

const [root, what] = process.argv.slice(2);
const { cases } = await readIndex(root);
const byFolder = new Map(cases.map((c) => [c.folder, c]));
const engine = nodeEngine({ threads: 1 });
const checks = { forward: (c) => checkForward(root, c, engine), gradient: (c) => checkGradient(root, c) };

process.on("message", async (folder) => {
  const result = await checks[what](byFolder.get(folder)).catch((error) => ({
    read: `failed: ${error.stack}`,
  }));
  process.send({ folder, result });
});
