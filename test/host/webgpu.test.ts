import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { findChromium } from "../web/find-chromium.js";

const run = promisify(execFile);

/** Largest difference of the same model on CPU and WebGPU; convolutions of five, six and nine channels to a group, and a Split. */
const script = `
import { encodeModel, graphBuilder, modelOf, Tensor } from "./dist/index.js";
import { nodeEngine } from "./dist/node.js";
const wave = (dims, f) =>
  Tensor.from("float32", dims, Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => f(1.7 * i)));
const b = graphBuilder();
const x = b.input("x", "float32", [2, 8, 6, 6]);
[[4, 20], [4, 24], [8, 72], [4, 32]].forEach(([group, to], i) => {
  const w = b.constant(wave([to, 8 / group, 3, 3], Math.cos));
  b.output(b.add("Conv", [x, w], { group }, { name: "conv" + group + "to" + to }), "y" + i);
});
const bytes = encodeModel(modelOf(b.build()));
const results = [];
let onCpu;
for (const provider of ["cpu", "webgpu"]) {
  const session = await nodeEngine({ provider, threads: 1 }).open(bytes);
  onCpu = session.onCpu;
  results.push(await session.run(new Map([["x", wave([2, 8, 6, 6], Math.sin)]])));
}
const apart = [...results[0]].map(([name, t]) => {
  const other = results[1].get(name).numbers();
  return t.numbers().reduce((most, v, i) => Math.max(most, Math.abs(v - other[i])), 0);
});
console.log(JSON.stringify({ onCpu, apart }));
`;

const answer = async (env: NodeJS.ProcessEnv) =>
  run(process.execPath, ["--input-type=module", "-e", script], { env: { ...process.env, ...env } });

it("says in a line that there is no adapter, where there is none", async () => {
  // Wherever drivers are, Vulkan finds none of them; other systems have other ways to theirs.
  const nowhere = { VK_ICD_FILENAMES: "/nonexistent", VK_DRIVER_FILES: "/nonexistent" };
  const failed: unknown = await answer(nowhere).then(
    () => undefined,
    (error) => error.stderr,
  );
  if (failed === undefined)
    return console.log("WebGPU on Node is not by Vulkan here: its absence is not tested");
  expect(failed).toMatch(/WebGPU finds no adapter here, need a GPU with its driver .*--provider cpu/);
});

it("computes on WebGPU what the CPU computes: nodes that come out wrong there are kept from it", async ({
  skip,
}) => {
  // Chromium brings a driver in software.
  const chromium = findChromium();
  const folder = [chromium && dirname(realpathSync(chromium)), "/usr/lib/chromium"].find(
    (at) => at && existsSync(join(at, "vk_swiftshader_icd.json")) && existsSync(join(at, "libvulkan.so.1")),
  );
  if (!folder) {
    console.log("WebGPU on Node is not tested: no Chromium with SwiftShader beside it");
    skip("no driver in software on this machine");
  }
  const icd = join(folder!, "vk_swiftshader_icd.json");
  const { stdout } = await answer({ VK_ICD_FILENAMES: icd, LD_LIBRARY_PATH: folder });
  const { onCpu, apart } = JSON.parse(stdout);
  expect(onCpu).toEqual(["conv4to20", "conv4to24", "conv8to72"]);
  expect(Math.max(...apart)).toBeLessThan(1e-4);
});
