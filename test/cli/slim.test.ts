import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import { modelOf } from "../../src/graph/model.js";
import { conv, linear } from "../../src/nn/layers.js";
import { graphBuilder } from "../../src/ops/index.js";
import { decodeSafetensors } from "../../src/runtime/safetensors.js";
import { temporaryFolder, writeIdx, writeTiny } from "./models.js";
import { cliPath, runCli } from "./run-cli.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (...names: string[]) => join(folder.path, ...names);
const data = () => ["--data", at("idx"), "--normalize", "none", "--threads", "1"];

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTiny(at("tiny.onnx"), { width: 16 });
  await mkdir(at("idx"));
  await writeIdx(at("idx"), { count: 160 });
});
afterAll(() => folder.remove());

/** Starts a command and interrupts it as soon as `path` is there. */
async function interrupted(args: readonly string[], path: string): Promise<number | null> {
  const child = spawn(process.execPath, [cliPath, ...args], { stdio: "ignore" });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  while (!existsSync(path) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill("SIGINT");
  return ended;
}

/** The tiny classifier with a first map of its second convolution that is infinite, and bounded by what reads it. */
function withInfiniteMaps(): Uint8Array {
  const b = graphBuilder({ name: "infinite" });
  const random = new Random(7);
  const x = b.input("input", "float32", ["N", 1, 8, 8]);
  const first = b.add("Relu", [conv(x, 16, "conv1", random, { kernel: 3, stride: 1 })]);
  const second = conv(first, 16, "conv2", random, { kernel: 3, stride: 1 });
  const bounded = b.add("Min", [second, b.constant(Tensor.from("float32", [], [6]))]);
  const pooled = b.add("Flatten", [b.add("GlobalAveragePool", [b.add("Relu", [bounded])])]);
  b.output(linear(pooled, 10, "fc", random), "logits");
  const graph = b.build();
  const initializers = new Map(graph.initializers);
  const weight = initializers.get("conv2.weight")!;
  const values = Float32Array.from(weight.numbers());
  values.fill(3e38, 0, values.length / 16);
  initializers.set("conv2.weight", Tensor.from("float32", weight.dims, [...values]));
  return encodeModel(modelOf({ ...graph, initializers }));
}

const stateIn = async (path: string) => {
  const { tensors } = decodeSafetensors(await readFile(path), path);
  return Object.fromEntries([...tensors].map(([name, t]) => [name, Buffer.from(t.bytes).toString("base64")]));
};

describe("slim", () => {
  const small = [
    "--layers",
    "all",
    "--epochs",
    "2",
    "--batch",
    "16",
    "--calibrate",
    "4",
    "--calibrate-batch",
    "16",
    "--latency-runs",
    "3",
  ];
  const slim = (...more: string[]) => ["slim", at("tiny.onnx"), ...data(), ...small, ...more];

  it("writes the model and the report, and leaves nothing else", async () => {
    const args = slim("-o", at("slim.onnx"), "--report", at("report"), "--json");
    const { stdout, stderr, status } = await runCli(args);
    expect({ status, stderr: stderr.match(/^scconv: .*/m)?.[0] }).toEqual({ status: 0, stderr: undefined });
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ epochs: 2, output: at("slim.onnx"), report: at("report") });
    for (const key of ["parameters", "macs", "bytes", "top1", "latencyMs"])
      expect(document[key]).toHaveLength(2);
    expect(document.parameters[1]).toBeLessThan(document.parameters[0]);
    expect(document.ratio).toBeGreaterThan(0);
    expect(document.rewritten.ratio).toBeGreaterThan(0);
    expect(await readdir(at("report"))).toEqual(["index.html", "report.json"]);
    const report = JSON.parse(await readFile(at("report", "report.json"), "utf8"));
    expect(report).toMatchObject({ parameters: document.parameters, top1: document.top1, seed: 0 });
    expect(report.layers.map((l: { to?: string }) => l.to)).toEqual([undefined, "SCConv"]);
    expect(report.layers[1].error).toHaveLength(2);
    // What the report says of the swapped layer is what `features` finds in the two files, on the same images.
    const [row, ...others] = report.redundancy.layers;
    expect(others).toEqual([]);
    expect(report.redundancy).toMatchObject({ images: 160, layers: [{ name: report.layers[1].name }] });
    const against = ["--compare", at("slim.onnx"), "--layer", row.name, "--limit", "160", "--json"];
    const features = JSON.parse((await runCli(["features", at("tiny.onnx"), ...data(), ...against])).stdout);
    for (const [key, found] of [
      ["before", features.layers[0]],
      ["after", features.layers[0].compared],
    ]) {
      expect(found).toMatchObject({ maps: row[key].maps, dead: row[key].dead, pixels: row[key].pixels });
      expect(row[key].effectiveRank).toBeCloseTo(found.effectiveRank, 3);
      expect(row[key].similarity.median).toBeCloseTo(found.similarity.median, 4);
    }
    const page = await readFile(at("report", "index.html"), "utf8");
    expect(page.match(/<svg class="maps"/g)).toHaveLength(2 + 4);
    const { metadata, graph } = decodeModel(await readFile(at("slim.onnx")));
    expect(metadata.get("scconv.normalize")).toBe("none");
    expect(graph.outputs.map((o) => o.name)).toEqual(["logits"]);
    const { stdout: evaluated } = await runCli(["eval", at("slim.onnx"), "--data", at("idx"), "--json"]);
    expect(JSON.parse(evaluated).top1).toBe(document.top1[1]);
  });

  it("stops cleanly and goes on to the same end", async () => {
    const run = (name: string, ...more: string[]) =>
      slim("-o", at(`${name}.onnx`), "--epochs", "100", ...more);
    expect(await interrupted(run("stopped"), at("stopped-report", "unfinished", "last.safetensors"))).toBe(
      130,
    );
    expect(existsSync(at("stopped.onnx"))).toBe(false);
    const other = await runCli(run("stopped", "--resume", "--lr", "0.5"));
    expect(other).toMatchObject({ status: 1, stdout: "" });
    expect(other.stderr).toMatch(/other settings.*lr 0\.5/);
    expect((await runCli(run("stopped", "--resume"))).status).toBe(0);
    expect((await runCli(run("whole"))).status).toBe(0);
    expect((await readFile(at("stopped.onnx"))).equals(await readFile(at("whole.onnx")))).toBe(true);
  });

  it("stopped once the model is there, keeps it, and makes the report the next time", async () => {
    const run = (...more: string[]) => slim("-o", at("late.onnx"), ...more);
    expect(await interrupted(run(), at("late.onnx"))).toBe(130);
    expect(existsSync(at("late-report", "index.html"))).toBe(false);
    const model = await readFile(at("late.onnx"));
    expect((await runCli(run("--resume", "--force"))).status).toBe(0);
    expect((await readFile(at("late.onnx"))).equals(model)).toBe(true);
    expect(await readdir(at("late-report"))).toEqual(["index.html", "report.json"]);
  });

  it("reports the rest where a layer's maps can not be measured, in one line", async () => {
    await writeFile(at("infinite.onnx"), withInfiniteMaps());
    const flags = [...small, "--calibrate", "0", "--hint", "0", "-o", at("finite.onnx"), "--json"];
    const { status, stdout, stderr } = await runCli(["slim", at("infinite.onnx"), ...data(), ...flags]);
    const lines = stderr.split("\n").filter((line) => line.startsWith("scconv:"));
    expect(lines).toEqual([
      expect.stringMatching(
        /^scconv: warning: the report has no feature maps \(.*finite\.onnx is written\): .*not finite/,
      ),
    ]);
    expect(status).toBe(0);
    const { report } = JSON.parse(stdout);
    expect(existsSync(at("finite.onnx"))).toBe(true);
    expect(JSON.parse(await readFile(join(report, "report.json"), "utf8")).redundancy).toBeUndefined();
    expect(await readFile(join(report, "index.html"), "utf8")).not.toContain("Feature maps");
  });

  it("fails when more is lost than --max-drop allows, and still shows all", async () => {
    const { stdout, status } = await runCli(
      slim("-o", at("lossy.onnx"), "--max-drop", "0", "--lr", "1e-9", "--calibrate", "0"),
    );
    const lost = /^top-1.*−/m.test(stdout);
    expect(status).toBe(lost ? 1 : 0);
    expect(stdout).toMatch(/lossy\.onnx/);
  });
});

describe("train", () => {
  const train = (...more: string[]) => [
    "train",
    "resnet8",
    ...data(),
    "--batch",
    "16",
    "--warmup",
    "0",
    ...more,
  ];

  it("writes a run, and refuses to write over it", async () => {
    const { stdout } = await runCli(train("--epochs", "2", "--out", at("run"), "--json"));
    expect(JSON.parse(stdout)).toMatchObject({ epochs: 2, run: at("run") });
    const names = ["best.onnx", "best.safetensors", "config.json", "last.safetensors", "metrics.csv"];
    const events = expect.stringMatching(/^events\.out\.tfevents\./);
    expect(await readdir(at("run"))).toEqual([...names.slice(0, 3), events, ...names.slice(3)]);
    expect((await readFile(at("run", "metrics.csv"), "utf8")).trim().split("\n")).toHaveLength(3);
    const again = await runCli(train("--epochs", "2", "--out", at("run")));
    expect(again.stderr).toMatch(/holds a run already.*--resume/);
    const changed = await runCli(["train", "--resume", at("run"), "--lr", "1"]);
    expect(changed).toMatchObject({ status: 2 });
    expect(changed.stderr).toMatch(/keeps its own settings.*--lr/);
  });

  it("an interrupted run ends as the one that was not", async () => {
    const args = (name: string) => train("--epochs", "4", "--conv", "scconv", "--out", at(name));
    expect(await interrupted(args("cut"), at("cut", "metrics.csv"))).toBe(130);
    expect((await runCli(["train", "--resume", at("cut"), "--threads", "1"])).status).toBe(0);
    expect((await runCli(args("uncut"))).status).toBe(0);
    expect(await stateIn(at("cut", "last.safetensors"))).toEqual(
      await stateIn(at("uncut", "last.safetensors")),
    );
  });

  it("a run that diverges ends with status 3 and keeps its last good state", async () => {
    const { status, stderr } = await runCli(train("--epochs", "3", "--lr", "1e30", "--out", at("wild")));
    expect(status).toBe(3);
    expect(stderr).toMatch(/diverged/);
    expect(await readdir(at("wild"))).toContain("last.safetensors");
  });
});
