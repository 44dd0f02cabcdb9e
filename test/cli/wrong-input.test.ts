import { mkdir, readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder, writeIdx, writeTiny } from "./models.js";
import { runCli } from "./run-cli.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
const at = (name: string) => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  model = await writeTiny(at("tiny.onnx"));
  await writeFile(at("text.onnx"), "this is not a model\n");
  await writeFile(at("empty.onnx"), "");
  await writeFile(at("pointer.onnx"), "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
  await writeTiny(at("cut.onnx"));
  await truncate(at("cut.onnx"), 1500);
  await writeTiny(at("pointwise.onnx"), { kernel: 1 });
  for (const name of ["nothing", "idx", "eleven"]) await mkdir(at(name));
  await writeIdx(at("idx"));
  await writeIdx(at("eleven"), { count: 44, classes: 11 });
});
afterAll(() => folder.remove());

interface Case {
  readonly name: string;
  readonly args: () => string[];
  readonly status: number;
  readonly says: RegExp;
}

const cases: Case[] = [
  {
    name: "no such file, but one like it",
    args: () => ["inspect", at("tinny.onnx")],
    status: 1,
    says: /no such file.*did you mean .*tiny\.onnx/,
  },
  { name: "a folder", args: () => ["inspect", folder.path], status: 1, says: /is a folder/ },
  {
    name: "text named .onnx",
    args: () => ["inspect", at("text.onnx")],
    status: 1,
    says: /text\.onnx: not .*text file/,
  },
  {
    name: "an empty file",
    args: () => ["eval", at("empty.onnx"), "--data", at("idx")],
    status: 1,
    says: /empty/,
  },
  { name: "a Git LFS pointer", args: () => ["bench", at("pointer.onnx")], status: 1, says: /LFS/ },
  { name: "a truncated model", args: () => ["inspect", at("cut.onnx")], status: 1, says: /truncated/ },
  {
    name: "an empty data folder",
    args: () => ["eval", model, "--data", at("nothing")],
    status: 1,
    says: /empty/,
  },
  {
    name: "no such data",
    args: () => ["eval", model, "--data", at("absent")],
    status: 1,
    says: /no such data/,
  },
  {
    name: "11 classes for 10 outputs",
    args: () => ["eval", model, "--data", at("eleven")],
    status: 1,
    says: /at most 10, got 11 classes/,
  },
  {
    name: "an empty folder of golden vectors",
    args: () => ["conform", at("nothing")],
    status: 1,
    says: /no golden vectors/,
  },
  {
    name: "nothing to swap",
    args: () => ["swap", at("pointwise.onnx"), "--dry-run"],
    status: 1,
    says: /no convolution.*1×1/,
  },
  {
    name: "an output folder that is not there",
    args: () => ["swap", model, "-o", at("absent/out.onnx")],
    status: 1,
    says: /no such file or folder/,
  },
  {
    name: "an output that exists",
    args: () => ["swap", model, "-o", model],
    status: 1,
    says: /exists already.*--force/,
  },
  {
    name: "a folder as the output",
    args: () => ["swap", model, "-o", folder.path],
    status: 1,
    says: /folder/,
  },
  {
    name: "a misspelt flag",
    args: () => ["inspect", model, "--jsno"],
    status: 2,
    says: /--jsno.*Did you mean --json/,
  },
  { name: "an unknown command", args: () => ["inspct"], status: 2, says: /inspct.*Did you mean inspect/ },
  { name: "a missing argument", args: () => ["inspect"], status: 2, says: /missing required argument/ },
  { name: "a missing value", args: () => ["bench", model, "--batch"], status: 2, says: /--batch/ },
  {
    name: "an impossible alpha",
    args: () => ["swap", model, "--alpha", "2", "--dry-run"],
    status: 2,
    says: /--alpha.*between 0 and 1/,
  },
  {
    name: "an impossible number",
    args: () => ["bench", model, "--runs", "0"],
    status: 2,
    says: /--runs.*from 1/,
  },
  {
    name: "an unknown provider",
    args: () => ["bench", model, "--provider", "tpu"],
    status: 2,
    says: /cpu, webgpu/,
  },
  {
    name: "an unknown normalisation",
    args: () => ["eval", model, "--data", at("idx"), "--normalize", "x"],
    status: 2,
    says: /imagenet, cifar10/,
  },
  { name: "no output and no dry run", args: () => ["swap", model], status: 2, says: /-o OUT\.onnx/ },
];

describe("wrong input", () => {
  it.each(cases)("$name", async ({ args, status, says }) => {
    const before = await readdir(folder.path);
    const result = await runCli(args());
    expect(result.stderr).toMatch(says);
    expect(
      result.stderr
        .trimEnd()
        .split("\n")
        .filter((l) => !l.includes("warning:")),
    ).toHaveLength(1);
    expect(result.stderr).toMatch(/^scconv: /);
    expect(result.stderr).not.toMatch(/\n\s+at |unexpected/);
    expect(result.stdout).toBe("");
    expect(result.status).toBe(status);
    expect(await readdir(folder.path)).toEqual(before);
  });

  it("shows the stack with --debug only", async () => {
    const { stderr } = await runCli(["inspect", at("absent.onnx"), "--debug"]);
    expect(stderr).toMatch(/\n\s+at /);
  });

  it("answers with one document on failure, too, under --json", async () => {
    const { stdout, status } = await runCli(["inspect", at("text.onnx"), "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "not-an-onnx-file" } });
    expect(status).toBe(1);
  });

  it("keeps control bytes of names away from the terminal", async () => {
    const { stderr } = await runCli(["inspect", at("\u001b[31mred.onnx")]);
    expect(stderr).not.toContain("\u001b");
    expect(stderr).toContain("\\u001b[31mred.onnx");
  });
});
