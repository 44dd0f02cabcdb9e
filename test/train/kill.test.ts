import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, it } from "vitest";
import { decodeCheckpoint } from "../../src/train/checkpoint.js";
import { EventSchema } from "../../src/train/gen/events_pb.js";
import { decodeRecords } from "../../src/train/record-file.js";
import { temporaryFolder, writeIdx } from "../cli/models.js";
import { cliPath, runCli } from "../cli/run-cli.js";
import { bytesOf } from "./tiny.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (...parts: string[]) => join(folder.path, ...parts);
beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(at("data"));
  await writeIdx(at("data"), { count: 480 });
});
afterAll(() => folder.remove());

const BATCH = 16;
const STEPS = 2 * (480 / BATCH);
const begin = (out: string) => [
  ...["train", "resnet8", "--data", at("data"), "--out", at(out), "--conv", "scconv"],
  ...["--epochs", "2", "--batch", `${BATCH}`, "--pad", "1", "--normalize", "0.5/0.3"],
];
const common = ["--threads", "1", "--seed", "3"];

const checkpoint = async (run: string) => decodeCheckpoint(await readFile(at(run, "last.safetensors")), run);

/** Starts a command and kills it, with no time to say goodbye, once the run has done `steps` steps. */
async function killAfter(args: readonly string[], run: string, steps: number): Promise<number> {
  const child = spawn(process.execPath, [cliPath, ...args, ...common, "--save-every", "0"], {
    stdio: "ignore",
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on("close", (_, signal) => resolve(signal)),
  );
  let over = false;
  ended.then(() => {
    over = true;
  });
  while (!over) {
    if (existsSync(at(run, "last.safetensors")) && (await checkpoint(run)).steps >= steps) break;
    await wait(2);
  }
  child.kill("SIGKILL");
  expect(await ended).toBe("SIGKILL");
  return (await checkpoint(run)).steps;
}

it("a run killed twice ends in the same weights, bit for bit, as one that was not", async () => {
  const whole = await runCli([...begin("whole"), ...common]);
  expect(whole.status, whole.stderr).toBe(0);

  const first = await killAfter(begin("killed"), "killed", 2);
  expect(first).toBeLessThan(STEPS / 2);
  const second = await killAfter(["train", "--resume", at("killed")], "killed", first + STEPS / 2);
  expect(second).toBeGreaterThan(first);
  expect(second).toBeLessThan(STEPS);
  const resumed = await runCli(["train", "--resume", at("killed"), ...common, "--json"]);
  expect(resumed.status, resumed.stderr).toBe(0);
  expect(JSON.parse(resumed.stdout).epochs).toBe(2);

  const [a, b] = [await checkpoint("whole"), await checkpoint("killed")];
  expect(b.steps).toBe(STEPS);
  expect(bytesOf(b.state)).toEqual(bytesOf(a.state));
  for (const file of ["best.onnx", "config.json"])
    expect(Buffer.compare(await readFile(at("killed", file)), await readFile(at("whole", file))), file).toBe(
      0,
    );
  // One event file for each time that it ran, and no step of any figure twice.
  const events = async (run: string) => {
    const files = (await readdir(at(run))).filter((n) => n.startsWith("events.")).sort();
    const records = await Promise.all(files.map(async (n) => decodeRecords(await readFile(at(run, n)))));
    const steps = records.flat().flatMap((r) => {
      const { step, what } = fromBinary(EventSchema, r);
      return what.case === "summary" ? what.value.value.map(({ tag }) => `${step} ${tag}`) : [];
    });
    return { files: files.length, steps };
  };
  const [once, thrice] = [await events("whole"), await events("killed")];
  expect(once.files).toBe(1);
  expect(thrice.files).toBeGreaterThan(1);
  expect(once.steps).toHaveLength(2 * 8 + 3);
  expect(thrice.steps.sort()).toEqual(once.steps.sort());
  // What was being written at the time may be left under a hidden name, never under a file's own.
  const visible = async (run: string) =>
    (await readdir(at(run))).filter((n) => !/^(\.|events\.)/.test(n)).sort();
  expect(await visible("killed")).toEqual(await visible("whole"));
});
