import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeModel } from "../../src/graph/codec.js";
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
    expect(await readdir(at("report"))).toEqual(["index.html", "report.json"]);
    const report = JSON.parse(await readFile(at("report", "report.json"), "utf8"));
    expect(report).toMatchObject({ parameters: document.parameters, top1: document.top1, seed: 0 });
    expect(report.layers.map((l: { to?: string }) => l.to)).toEqual([undefined, "SCConv"]);
    expect(report.layers[1].error).toHaveLength(2);
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
