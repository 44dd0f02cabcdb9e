import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import type { ErrorCode } from "../../src/base/errors.js";
import { run } from "../../src/cli/run.js";

export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line in this process, with what it prints. */
export async function cli(argv: readonly string[]): Promise<Said> {
  const said = { stdout: "", stderr: "" };
  const original = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const name of ["stdout", "stderr"] as const) {
    process[name].write = ((chunk: string, done?: (error?: Error) => void) => {
      said[name] += chunk;
      if (typeof done === "function") done();
      return true;
    }) as typeof process.stdout.write;
  }
  try {
    return { status: await run(argv), ...said };
  } finally {
    process.stdout.write = original.stdout;
    process.stderr.write = original.stderr;
  }
}

/** Characters that control a terminal, are invisible there, or turn the direction of text. */
export const controls = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const mostBytes = 2 ** 29;

/** Runs `work` and holds it to bounds of processor time and of memory over what the process had taken before. */
export async function bounded<T>(work: () => T | Promise<T>, mostSeconds = 6): Promise<T> {
  const cpu = process.cpuUsage();
  const memory = process.resourceUsage().maxRSS;
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  expect((user + system) / 1e6, "seconds of processor time").toBeLessThan(mostSeconds);
  expect((process.resourceUsage().maxRSS - memory) * 1024, "bytes of memory").toBeLessThan(mostBytes);
  return result;
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly says: RegExp;
}

/** Refusals of one code, by what they say. */
export const refusal =
  (code: ErrorCode) =>
  (says: RegExp): Refusal => ({ code, says });

/** A folder for the tests of a file. */
export function hostileFolder() {
  const folder = { path: "" };
  beforeAll(async () => {
    folder.path = await mkdtemp(join(tmpdir(), "scconv-hostile-"));
  });
  afterAll(() => rm(folder.path, { recursive: true, force: true }));
  const at = (...names: string[]) => join(folder.path, ...names);
  return {
    at,
    /**
     * What a user sees who swaps convolutions of such a file: the code, one line without anything that controls a terminal,
     * status 1, within bounds of time and memory, and no file that was not there before.
     */
    async refuses(bytes: Uint8Array | undefined, { code, says }: Refusal, args: readonly string[] = []) {
      if (bytes) await writeFile(at("hostile.onnx"), bytes);
      const before = await readdir(folder.path, { recursive: true });
      const argv = ["swap", at("hostile.onnx"), "-o", at("out.onnx"), "--json", ...args];
      const { status, stdout, stderr } = await bounded(() => cli(argv));
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
      expect({ code: error.code, message: error.message }).toEqual({
        code,
        message: expect.stringMatching(says),
      });
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(stderr).not.toMatch(controls);
      expect(stderr.length).toBeLessThan(5000);
      expect(status).toBe(1);
      expect(await readdir(folder.path, { recursive: true })).toEqual(before);
    },
  };
}
