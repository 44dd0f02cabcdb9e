import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeNpy, encodeNpy } from "../../src/cli/npy.js";
import { decodeModel } from "../../src/graph/codec.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/runtime/safetensors.js";
import { ones, temporaryFolder, writeIdx, writeTiny } from "./models.js";
import { runCli } from "./run-cli.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
const at = (name: string) => join(folder.path, name);
const json = async (...args: string[]) => {
  const { stdout, stderr, status } = await runCli([...args, "--json"]);
  expect(stderr.split("\n").filter((l) => /^scconv: (?!warning)/.test(l))).toEqual([]);
  expect(status).toBe(0);
  return JSON.parse(stdout);
};

beforeAll(async () => {
  folder = await temporaryFolder();
  model = await writeTiny(at("tiny.onnx"));
  await mkdir(at("idx"));
  await writeIdx(at("idx"));
});
afterAll(() => folder.remove());

/** conv1 1→8 3×3, conv2 8→8 3×3 over 8×8, linear 8→10; convolutions without bias. */
const parameters = 72 + 576 + 90;
const macs = 64 * (72 + 576) + 80;

describe("commands", () => {
  it("--help names every command, and is quick", async () => {
    const { stdout, status } = await runCli(["--help"]);
    for (const name of ["inspect", "swap", "eval", "bench", "run", "conform", "doctor"])
      expect(stdout).toContain(name);
    expect(status).toBe(0);
  });

  it("help of a command has its flags and those of every command", async () => {
    for (const args of [
      ["bench", "-h"],
      ["help", "bench"],
    ]) {
      const { stdout } = await runCli(args);
      expect(stdout).toContain("--provider");
      expect(stdout).toContain("--json");
    }
  });

  it("inspect counts by hand", async () => {
    const document = await json("inspect", model);
    expect(document).toMatchObject({ parameters, macs, uncounted: [] });
    const layers = document.layers.filter((l: { op: string }) => l.op === "Conv");
    expect(layers.map((l: { swappable: boolean }) => l.swappable)).toEqual([false, true]);
    expect(layers[0].reason).toMatch(/first/);
    expect(layers[1]).toMatchObject({ inputShape: [1, 8, 8, 8], outputShape: [1, 8, 8, 8], parameters: 576 });
  });

  it("eval sees every image and warns about the normalisation that it does not know", async () => {
    const { stdout, stderr } = await runCli(["eval", model, "--data", at("idx"), "--json", "--batch", "7"]);
    expect(JSON.parse(stdout)).toMatchObject({ images: 40, normalize: "none" });
    expect(stderr).toMatch(/warning: .*normali/);
    const again = await json("eval", model, "--data", at("idx"), "--normalize", "none", "--limit", "10");
    expect(again.images).toBe(10);
  });

  it("bench times models beside each other", async () => {
    const document = await json("bench", model, model, "--runs", "5", "--threads", "1");
    expect(document).toMatchObject({ provider: "cpu", threads: 1, batch: 1 });
    expect(document.runtime).toMatch(/^onnxruntime-node /);
    expect(document.ratios[0]).toBe(1);
    expect(document.models).toHaveLength(2);
    for (const m of document.models) {
      expect(m).toMatchObject({ file: model, parameters, macs });
      expect(m.p10Ms).toBeLessThanOrEqual(m.medianMs);
      expect(m.medianMs).toBeLessThanOrEqual(m.p90Ms);
      expect(m.peakRssMb).toBeGreaterThan(10);
    }
  });

  it("run takes .npy and .safetensors, and writes both", async () => {
    await writeFile(at("x.npy"), encodeNpy(ones(2, 1, 8, 8)));
    await writeFile(at("x.safetensors"), encodeSafetensors(new Map([["input", ones(2, 1, 8, 8)]])));
    const a = await json("run", model, "--input", at("x.npy"), "--output", at("y.npy"));
    const b = await json("run", model, "--input", at("x.safetensors"), "--output", at("y.safetensors"));
    expect(a.outputs).toEqual(b.outputs);
    expect(a.outputs[0]).toMatchObject({ name: "logits", dims: [2, 10] });
    expect(a.outputs[0].top[0]).toHaveLength(5);
    const npy = decodeNpy(await readFile(at("y.npy")), "y.npy");
    const { tensors } = decodeSafetensors(await readFile(at("y.safetensors")), "y");
    expect([...(npy.numbers() as Float32Array)]).toEqual([
      ...(tensors.get("logits")!.numbers() as Float32Array),
    ]);
  });

  it("run says what does not fit", async () => {
    await writeFile(at("wide.npy"), encodeNpy(ones(1, 1, 9, 8)));
    const { stderr, status } = await runCli(["run", model, "--input", at("wide.npy")]);
    expect(stderr).toMatch(/input "input": the array does not fit.*got 1×1×9×8/);
    expect(status).toBe(1);
  });

  it("swap writes a model that the other commands take, and nothing else", async () => {
    const out = at("swapped.onnx");
    const document = await json("swap", model, "-o", out, "--layers", "all", "--conv-groups", "1");
    expect(document.swapped).toHaveLength(1);
    expect(document.parameters[0]).toBe(parameters);
    expect(document.parameters[1]).toBeLessThan(parameters);
    expect(document.kept).toEqual([{ name: expect.any(String), reason: expect.stringMatching(/first/) }]);
    const written = decodeModel(await readFile(out));
    expect(written.graph.inputs[0]!.name).toBe("input");
    expect((await json("eval", out, "--data", at("idx"), "--normalize", "none")).images).toBe(40);
    expect((await readdir(folder.path)).filter((n) => n.includes("tmp"))).toEqual([]);
    const dry = await json("swap", model, "--layers", "all", "--dry-run");
    expect(dry.output).toBeUndefined();
  });

  it("swap chooses by the clock: it takes what is faster, or says that nothing is", async () => {
    const { stdout, stderr, status } = await runCli(["swap", model, "--dry-run", "--alpha", "0.5", "--json"]);
    const document = JSON.parse(stdout);
    if (status === 1) {
      expect(stderr).toMatch(/no swap makes this model faster on this machine.*--layers all/);
      return;
    }
    const { plan, swapped } = document;
    expect(plan.forms).toEqual([
      { alpha: 0.5, scope: "element" },
      { alpha: 0.5, scope: "channel" },
    ]);
    const layer = plan.layers[0];
    expect(layer.forms[layer.chosen].saving).toBeGreaterThan(0);
    expect(plan.measured).toBeLessThanOrEqual(0.97);
    expect(swapped.map((s: { name: string }) => s.name)).toEqual([layer.name]);
  });

  it("a target out of reach is refused before anything is written", async () => {
    const out = at("unreachable.onnx");
    const { stderr, status } = await runCli(["swap", model, "-o", out, "--target", "latency=0.001"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/no swap (reaches the target|makes this model faster) on this machine.*at most/);
    expect(await readdir(folder.path)).not.toContain("unreachable.onnx");
  });

  it("--target wants layers to choose from, and a share", async () => {
    for (const [args, says] of [
      [["--layers", "all", "--target", "latency=0.8"], /--target needs layers to choose from/],
      [["--target", "latency=2"], /--target: not a target.*got latency=2/],
    ] as const) {
      const { stderr, status } = await runCli(["swap", model, "--dry-run", ...args]);
      expect(stderr).toMatch(says);
      expect(status).toBe(2);
    }
  });

  it("doctor finds what the other tests need", async () => {
    const document = await json("doctor");
    expect(document.ok).toBe(true);
    expect(document.checks.map((c: { name: string }) => c.name)).toContain("sharp (images)");
  });
});

describe("signals", () => {
  it("the first one stops cleanly, with status 130", async () => {
    const { spawn } = await import("node:child_process");
    const { cliPath } = await import("./run-cli.js");
    const args = [cliPath, "bench", model, "--runs", "100000000"];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    child.kill("SIGINT");
    const status = await new Promise((resolve) => child.on("close", resolve));
    expect(status).toBe(130);
    expect(stderr).toMatch(/stopping/);
  });
});
