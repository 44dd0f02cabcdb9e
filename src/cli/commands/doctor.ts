import { constants } from "node:fs";
import { access, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { ScconvError } from "../../base/errors.js";
import { formatBytes } from "../../base/format.js";
import { Tensor } from "../../base/tensor.js";
import { modelOf } from "../../graph/model.js";
import { benchModels } from "../../host/node/bench.js";
import { defaultCacheDir } from "../../host/node/data/fashion-mnist.js";
import { machine } from "../../host/node/machine.js";
import { writeModel } from "../../host/node/models.js";
import { nodeEngine } from "../../host/node/ort.js";
import { graphBuilder } from "../../ops/index.js";
import { command } from "../command.js";
import { failureOf } from "../failure.js";
import type { Paint } from "../paint.js";
import { table } from "../table.js";
import { version } from "../version.js";

interface Check {
  readonly name: string;
  /** Undefined: neither good nor bad, for information. */
  readonly ok: boolean | undefined;
  readonly detail: string;
  /** Without it nothing works. */
  readonly required?: boolean;
}

export default command<[], object>({
  configure: () => {},

  async run(_, __, { threads, signal }) {
    const checks: Check[] = [node(), machineCheck(threads)];
    checks.push(await attempt("onnxruntime-node (cpu)", true, cpuInference));
    checks.push(await attempt("onnxruntime-node (webgpu)", false, () => webgpuInference(signal)));
    checks.push(await attempt("sharp (images)", true, decodeOnePixel));
    checks.push(await attempt("cache folder", false, cacheFolder));
    checks.push(await attempt("fashion-mnist", false, fashionMnist));
    const failed = checks.some((c) => c.required && !c.ok);
    return {
      document: { scconv: version, ok: !failed, machine: machine(), checks },
      text: (paint) => textOf(checks, paint),
      failed,
    };
  },
});

async function attempt(name: string, required: boolean, check: () => Promise<string>): Promise<Check> {
  try {
    return { name, required, ok: true, detail: await check() };
  } catch (error) {
    return { name, required, ok: false, detail: failureOf(error).line };
  }
}

function node(): Check {
  const major = Number(process.versions.node.split(".")[0]);
  return { name: "node", required: true, ok: major >= 20, detail: `${process.version} (20 or newer)` };
}

function machineCheck(threads: number | undefined): Check {
  const { cpu, cores, instructions, memoryBytes, os } = machine();
  const parts = [
    cpu,
    instructions.join(" "),
    `${threads ?? cores} of ${availableParallelism()} threads`,
    `${formatBytes(memoryBytes)} of memory`,
    os,
  ];
  return { name: "machine", ok: undefined, detail: parts.filter(Boolean).join(" · ") };
}

/** A 3×3 convolution of ones over ones: 9 taps, 2 channels. */
function tinyGraph() {
  const b = graphBuilder({ name: "doctor" });
  const x = b.input("x", "float32", [1, 2, 8, 8]);
  const w = b.parameter("w", Tensor.from("float32", [1, 2, 3, 3], new Array(18).fill(1)));
  b.output(b.add("Conv", [x, w]), "y");
  return b.build();
}

async function cpuInference(): Promise<string> {
  const engine = nodeEngine();
  const session = await engine.open(tinyGraph());
  const x = Tensor.from("float32", [1, 2, 8, 8], new Array(128).fill(1));
  const y = (await session.run(new Map([["x", x]]))).get("y");
  await session.release();
  const value = y?.numbers()[0];
  if (value !== 18) throw new Error(`a convolution gave ${value} in place of 18`);
  return `${engine.runtime}, inference right`;
}

/** In a process of its own: a driver that crashes must not take the doctor with it. */
async function webgpuInference(signal: AbortSignal): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "scconv-doctor-"));
  try {
    const file = join(folder, "tiny.onnx");
    await writeModel(file, modelOf(tinyGraph()));
    await benchModels([file], { provider: "webgpu", runs: 1, signal });
    return "inference runs";
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new ScconvError("engine", /finds no adapter/.test(said) ? "no adapter (Vulkan) here" : said);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function decodeOnePixel(): Promise<string> {
  const { default: sharp } = await import("sharp");
  const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: "red" } })
    .png()
    .toBuffer();
  const { decodeImage, orThrow } = await import("../../host/node/data/decode-image.js");
  const { width } = orThrow(await decodeImage(png, {}), "a PNG of two pixels");
  if (width !== 2) throw new Error("an image came back in another size");
  return `libvips ${sharp.versions.vips}`;
}

async function cacheFolder(): Promise<string> {
  const folder = defaultCacheDir();
  await mkdir(folder, { recursive: true });
  await access(folder, constants.W_OK);
  return folder;
}

async function fashionMnist(): Promise<string> {
  const { version } = createRequire(import.meta.url)("fashion-mnist/package.json") as { version: string };
  const cached = await stat(join(defaultCacheDir(), "fashion-mnist.bin")).catch(() => undefined);
  return `${version}, ${cached ? "converted" : "not yet converted (done at first use)"}`;
}

function textOf(checks: readonly Check[], { good, bad, dim }: Paint): string {
  const state = ({ ok, required }: Check) => (ok === undefined ? "" : ok ? "yes" : required ? "NO" : "no");
  const lines = table(
    [{ title: "" }, { title: "works" }, { title: "" }],
    checks.map((c) => [c.name, state(c), c.detail]),
  ).split("\n");
  return lines
    .slice(1)
    .map((line, i) => {
      const check = checks[i];
      if (check?.ok === false) return check.required ? bad(line) : dim(line);
      return check?.ok ? good(line) : line;
    })
    .join("\n");
}
