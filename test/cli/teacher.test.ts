import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder, writeIdx } from "./models.js";
import { runCli } from "./run-cli.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (...parts: string[]) => join(folder.path, ...parts);
const train = (out: string, ...more: string[]) => [
  ...["train", "resnet8", "--data", at("data"), "--out", at(out), "--epochs", "1", "--batch", "16"],
  ...["--pad", "1", "--normalize", "0.5/0.3", "--threads", "1", "--json", ...more],
];
const lastLoss = async (run: string) => {
  const [head, ...rows] = (await readFile(at(run, "metrics.csv"), "utf8")).trim().split("\n");
  return Number(rows.at(-1)!.split(",")[head!.split(",").indexOf("trainLoss")]);
};

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(at("data"));
  await writeIdx(at("data"), { count: 160 });
  expect((await runCli(train("teacher"))).status).toBe(0);
}, 60_000);
afterAll(() => folder.remove());

it("a network learns from another one's answers", async () => {
  const { status, stderr } = await runCli(
    train("student", "--width", "0.5", "--teacher", at("teacher", "best.onnx"), "--distill", "1"),
  );
  expect(status, stderr).toBe(0);
  const config = JSON.parse(await readFile(at("student", "config.json"), "utf8"));
  expect(config.teacher).toEqual({ file: at("teacher", "best.onnx"), temperature: 4, distill: 1 });
  // With all the weight on the teacher and T² before it, the loss is no cross entropy of labels.
  expect((await runCli(train("alone", "--width", "0.5"))).status).toBe(0);
  expect(await lastLoss("student")).toBeGreaterThan(2 * (await lastLoss("alone")));
});

it("refuses a teacher that sees other images, and settings without a teacher", async () => {
  const teacher = at("teacher", "best.onnx");
  const other = await runCli(train("a", "--teacher", teacher, "--normalize", "0.1/0.2"));
  expect(other.status).toBe(1);
  expect(other.stderr).toMatch(
    /teacher's normalised images are not the run's, need 0\.1\/0\.2, got 0\.5\/0\.3/,
  );
  const larger = await runCli(train("b", "--teacher", teacher, "--size", "12"));
  expect(larger.status).toBe(1);
  expect(larger.stderr).toMatch(/teacher's images are not the run's/);
  const alone = await runCli(train("c", "--distill", "0.5"));
  expect(alone.status).toBe(2);
  expect(alone.stderr).toMatch(/--teacher MODEL\.onnx/);
});
