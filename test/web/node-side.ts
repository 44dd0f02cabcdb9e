import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BrowserCommand } from "vitest/node";

/** What tests in a page ask of Node. Bytes travel as base64. */

const folder = fileURLToPath(new URL("../../../shared/golden/module", import.meta.url));

/** The golden vectors, where they are on this machine. */
export const goldens: BrowserCommand<[]> = () => {
  const files = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith(".safetensors")) : [];
  return {
    folder,
    files: files.map((file) => ({ file, bytes: readFileSync(`${folder}/${file}`, "base64") })),
  };
};

/** Runs a graph on Node's engine, as built: feeds and results are safetensors. */
export const runOnNode: BrowserCommand<[model: string, feeds: string]> = async (_, model, feeds) => {
  const [{ nodeEngine }, { decodeSafetensors, encodeSafetensors }] = await Promise.all([
    import(fileURLToPath(new URL("../../dist/node.js", import.meta.url))),
    import(fileURLToPath(new URL("../../dist/index.js", import.meta.url))),
  ]);
  const engine = nodeEngine({ threads: 1 });
  const session = await engine.open(Uint8Array.from(Buffer.from(model, "base64")));
  const results = await session.run(decodeSafetensors(Buffer.from(feeds, "base64"), "feeds").tensors);
  await session.release();
  return { runtime: engine.runtime, results: Buffer.from(encodeSafetensors(results)).toString("base64") };
};
