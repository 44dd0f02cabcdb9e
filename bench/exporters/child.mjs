// Checks the one file that it is sent; see run.mjs. A process of its own: memory and crashes are its own.
import { nodeEngine } from "../../dist/node.js";
import { checkFile } from "./check.mjs";

process.on("message", async ({ root, network, file }) => {
  const result = await checkFile(root, network, file, nodeEngine({ threads: 1 })).catch((error) => ({
    steps: { read: `failed: ${error.stack}` },
    figures: {},
  }));
  process.send(result);
});
