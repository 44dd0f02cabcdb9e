import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeCheckpoint } from "../../../src/train/checkpoint.js";
import { temporaryFolder, writeIdx } from "../models.js";
import { cliPath, runCli } from "../run-cli.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (...parts: string[]) => join(folder.path, ...parts);
const tables = ["ablation.md", "ablation.csv", "ablation.svg"];

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of ["data", "whole", "stopped"]) await mkdir(at(name));
  await writeIdx(at("data"), { count: 96 });
  const cells = [
    { label: "standard", conv: "standard", paper: 78.6 },
    { label: "S+C", conv: "scconv" },
    { label: "too narrow", conv: "scconv", groups: 5 },
  ];
  await writeFile(at("grid.json"), JSON.stringify({ title: "Two units", cells }));
});
afterAll(() => folder.remove());

// The same words wherever it runs, because the page has them.
const STEPS = 12;
const command = (...more: string[]) => [
  ...["ablate", at("grid.json"), "--arch", "resnet8", "--data", at("data"), "--out", "out", "--seeds", "2"],
  ...["--epochs", "2", "--batch", "16", "--pad", "1", "--normalize", "0.5/0.3", "--save-every", "0"],
  ...["--threads", "1", ...more],
];
const run = (...parts: string[]) => at("stopped", "out", "runs", ...parts);
const stepsOf = async (name: string): Promise<number> => {
  const path = run(name, "last.safetensors");
  return existsSync(path) ? decodeCheckpoint(await readFile(path), path).steps : 0;
};

/** Starts the command and sends a signal once `ready`. */
async function stop(signal: NodeJS.Signals, ready: () => Promise<boolean> | boolean) {
  const child = spawn(process.execPath, [cliPath, ...command()], { stdio: "ignore", cwd: at("stopped") });
  let over = false;
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.on("close", (code, by) => {
      over = true;
      resolve({ code, signal: by });
    }),
  );
  while (!over && !(await ready())) await wait(2);
  child.kill(signal);
  return ended;
}

describe("ablate", () => {
  it("stopped within and between runs, makes the same tables, byte for byte, as when it is not", async () => {
    const whole = await runCli(command(), { cwd: at("whole") });
    expect(whole.status, whole.stderr).toBe(0);
    expect(whole.stderr).toContain("too narrow is not run: layer1.0.conv2");

    // Killed within the first run; then as soon as that is over; then interrupted within the third.
    const killed = { code: null, signal: "SIGKILL" };
    expect(await stop("SIGKILL", async () => (await stepsOf("standard-seed0")) >= 3)).toEqual(killed);
    const first = await stepsOf("standard-seed0");
    expect(first).toBeLessThan(STEPS);
    expect(existsSync(run("standard-seed0", "result.json"))).toBe(false);

    expect(await stop("SIGKILL", () => existsSync(run("standard-seed0", "result.json")))).toEqual(killed);
    expect(existsSync(run("standard-seed1"))).toBe(false);
    const done = await stat(run("standard-seed0", "result.json"));

    const stopped = await stop("SIGINT", async () => (await stepsOf("standard-seed1")) >= 8);
    expect(stopped.code).toBe(130);
    expect(existsSync(run("standard-seed1", "result.json"))).toBe(false);
    const soFar = await readFile(at("stopped", "out", "ablation.md"), "utf8");
    expect(soFar).toContain("**Not finished: 2 of 4 runs are done.**");

    const resumed = await runCli(command(), { cwd: at("stopped") });
    expect(resumed.status, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain("2 of 4 runs are done");
    // What was over was not done again.
    expect((await stat(run("standard-seed0", "result.json"))).mtimeMs).toBe(done.mtimeMs);
    for (const name of tables) {
      const [a, b] = [await readFile(at("whole", "out", name)), await readFile(at("stopped", "out", name))];
      expect(b.toString()).toBe(a.toString());
    }
  }, 300_000);

  it("done already, says what it says, as a document too", async () => {
    const before = await readFile(at("whole", "out", "ablation.csv"), "utf8");
    const { stdout, status, stderr } = await runCli(command("--json"), { cwd: at("whole") });
    expect(status, stderr).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      architecture: "resnet8",
      seeds: [0, 1],
      done: 4,
      planned: 4,
      out: "out",
    });
    expect(document.refused).toHaveLength(1);
    expect(document.cells.map((c: { label: string }) => c.label)).toEqual(["standard", "S+C"]);
    const [standard, scconv] = document.cells;
    expect(document.paper.top1).toEqual({ standard: 78.6 });
    // Last epochs, and their difference seed by seed, from the runs' own curves.
    const last = async (name: string) => {
      const csv = await readFile(at("whole", "out", "runs", name, "metrics.csv"), "utf8");
      return Number(csv.trim().split("\n").at(-1)!.split(",")[4]);
    };
    const of = async (cell: string) => [await last(`${cell}-seed0`), await last(`${cell}-seed1`)];
    const [a, b] = [await of("standard"), await of("s-c")];
    const mean = (v: number[]) => v.reduce((x, y) => x + y, 0) / v.length;
    expect(standard.last.mean).toBeCloseTo(mean(a), 5);
    expect(scconv.difference.mean).toBeCloseTo(mean(b) - mean(a), 5);
    expect(await readFile(at("whole", "out", "ablation.csv"), "utf8")).toBe(before);
  });

  it.each([
    [["--epochs", "3"], /out\/runs\/standard-seed0: .* need recipe\.epochs 2, got 3/],
    [["--gate", "soft"], /need unit\.gate not set, got "soft"/],
    [["--limit", "50"], /out: the folder holds another grid, need images\.trainImages 96, got 50/],
    [["--seeds", "1,1"], /--seeds: not a possible value, need each seed once/],
    [["--arch", "resnet9"], /no architecture is called "resnet9"/],
  ])("refuses %j in one line, and leaves the tables", async (more, line) => {
    const before = await readFile(at("whole", "out", "ablation.md"), "utf8");
    const { status, stderr } = await runCli(command(...more), { cwd: at("whole") });
    expect(status).not.toBe(0);
    const said = stderr.split("\n").filter((l) => l.startsWith("scconv: ") && !l.includes("warning"));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(line);
    expect(await readFile(at("whole", "out", "ablation.md"), "utf8")).toBe(before);
  });

  it("takes more seeds later", async () => {
    const done = await stat(at("whole", "out", "runs", "s-c-seed1", "result.json"));
    const { status, stderr } = await runCli(command("--seeds", "3", "--quiet"), { cwd: at("whole") });
    expect(status, stderr).toBe(0);
    expect((await stat(at("whole", "out", "runs", "s-c-seed1", "result.json"))).mtimeMs).toBe(done.mtimeMs);
    const csv = await readFile(at("whole", "out", "ablation.csv"), "utf8");
    expect(csv.trim().split("\n")).toHaveLength(1 + 6);
  });

  it("goes on where a run diverges, says so, and does not try it again", async () => {
    const cells = [0.05, 1e30].map((lr) => ({ label: `lr ${lr}`, lr }));
    await writeFile(at("rates.json"), JSON.stringify({ cells: cells.reverse() }));
    const again = () =>
      runCli(["ablate", at("rates.json"), ...command().slice(2), "--seeds", "1"], { cwd: folder.path });
    const { status, stderr, stdout } = await again();
    expect(status, stderr).toBe(0);
    expect(stderr).toContain("lr 1e+30, seed 0 diverged: training diverged at step");
    expect(stdout).toMatch(/lr 1e\+30 .* –; 1 diverged/);
    expect(stdout).toMatch(/lr 0\.05 .* \d+\.\d\d \(one seed\)/);
    expect((await again()).stderr).not.toContain("diverged");
  });
});
