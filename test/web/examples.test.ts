import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright";
import sharp from "sharp";
import { build, preview } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import { modelOf } from "../../src/graph/model.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { resnetCifar } from "../../src/zoo/resnet-cifar.js";
import { chromiumArgs, findChromium, noChromium } from "./find-chromium.js";
import { serveFolder } from "./static-server.js";

/** The examples as a user has them: with the packed package among their dependencies. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const executablePath = findChromium();
const minutes = 60_000;
const STEPS = 3;
let folder: string;

beforeAll(async () => {
  if (!executablePath) return;
  folder = await mkdtemp(join(tmpdir(), "scconv-examples-"));
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "scconv"), { recursive: true });
  for (const name of await readdir(join(root, "node_modules"))) {
    if (!name.startsWith(".")) await symlink(join(root, "node_modules", name), join(modules, name));
  }
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
  });
  execFileSync("tar", ["-xzf", packed.trim(), "--strip-components", "1", "-C", join(modules, "scconv")], {
    cwd: folder,
  });
  for (const example of ["web-plain", "web-vite"]) {
    await cp(join(root, "examples", example), join(folder, example), { recursive: true });
    await symlink(modules, join(folder, example, "node_modules"));
  }
  const model = resnetCifar({ depth: 8, widths: [8, 16, 32], size: 8, channels: 3, classes: 2, seed: 1 });
  await writeFile(join(folder, "small.onnx"), encodeModel(modelOf(model)));
  for (const [i, name] of ["cold", "warm"].entries()) {
    await mkdir(join(folder, "images", name), { recursive: true });
    for (let k = 0; k < (8 * STEPS * 5) / 4 / 2; k++) {
      const background = i === 0 ? { r: 5 * k, g: 60, b: 200 } : { r: 200, g: 60, b: 5 * k };
      const image = sharp({ create: { width: 8, height: 8, channels: 3, background } });
      await image.png().toFile(join(folder, "images", name, `${k}.png`));
    }
  }
}, 5 * minutes);

afterAll(async () => {
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Gives the page at `url` its files, waits for the end, and returns what it said and the file that it made. */
async function drive(url: string): Promise<{ log: string; model: Uint8Array }> {
  const browser = await chromium.launch({ executablePath: executablePath!, args: chromiumArgs });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(5 * minutes);
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(url);
    await page.setInputFiles("#model", join(folder, "small.onnx"));
    await page.setInputFiles("#images", join(folder, "images"));
    await page.click("#start");
    await page.waitForFunction(() => /(done|failed.*)\n$/.test(document.getElementById("log")!.textContent!));
    const log = await page.textContent("#log");
    expect(log).not.toMatch(/failed/);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
    const own = new URL(url).origin;
    expect(requests.some((r) => r.endsWith(".wasm"))).toBe(true);
    expect(
      requests.filter((r) => !r.startsWith("data:") && !r.replace(/^blob:/, "").startsWith(own)),
    ).toEqual([]);
    return { log: log!, model: await readFile(await download.path()) };
  } finally {
    await browser.close();
  }
}

/** Three finite losses, and a network with SCConv in it that Node runs. */
async function check({ log, model }: { log: string; model: Uint8Array }): Promise<void> {
  expect([...log.matchAll(/^step (\d+): loss \d+\.\d+$/gm)].map((m) => m[1])).toEqual(["1", "2", "3"]);
  const { graph } = decodeModel(model);
  expect([...graph.initializers.keys()].filter((n) => n.includes(".conv2.")).length).toBeGreaterThan(3);
  const session = await nodeEngine({ threads: 1 }).open(model);
  const results = await session.run(new Map([[session.inputs[0]!, Tensor.zeros("float32", [1, 3, 8, 8])]]));
  const logits = results.get(session.outputs[0]!)!;
  expect(logits.dims).toEqual([1, 2]);
  expect(Array.from(logits.numbers()).every(Number.isFinite)).toBe(true);
  await session.release();
}

describe.skipIf(!executablePath)(`examples${executablePath ? "" : `: ${noChromium}`}`, () => {
  it("web-plain: ES modules and an import map, in a page", { timeout: 10 * minutes }, async () => {
    const server = await serveFolder(join(folder, "web-plain"));
    try {
      const driven = await drive(server.url);
      await check(driven);
      // Its server sends no headers: there is one thread, and the page says why.
      expect(driven.log).toMatch(/^onnxruntime-web \S+, wasm, threads: 1 .*cross-origin isolated/);
    } finally {
      server.close();
    }
  });

  it("web-vite: built by Vite, in a worker", { timeout: 10 * minutes }, async () => {
    const own = join(folder, "web-vite");
    await build({ root: own, logLevel: "error" });
    const server = await preview({ root: own, logLevel: "error", preview: { port: 0, host: "localhost" } });
    try {
      const driven = await drive(server.resolvedUrls!.local[0]!);
      await check(driven);
      expect(driven.log).toMatch(/^onnxruntime-web \S+, wasm, threads: [1-9]\d* *\n/);
    } finally {
      await server.close();
    }
  });
});
