// A process that is asked for work and times it: one JSON document a line, in on stdin, out on stdout.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

export class Peer {
  #child;
  #waiting = [];
  #failed;

  /** `name` is for the table. */
  constructor(name, command, args, env = {}) {
    this.name = name;
    this.#child = spawn(command, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    const fail = (error) => {
      this.#failed ??= error;
      for (const { reject } of this.#waiting.splice(0)) reject(this.#failed);
    };
    this.#child.on("error", fail);
    this.#child.on("exit", (status, signal) => fail(new Error(`${name} ended: ${signal ?? status}`)));
    // A peer that is gone says so by its exit.
    this.#child.stdin.on("error", () => {});
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#waiting.shift()?.resolve(JSON.parse(line));
    });
  }

  /** Answers come in the order of the questions. */
  ask(message) {
    if (this.#failed) return Promise.reject(this.#failed);
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** The most memory that it ever held, in MiB; undefined where the system does not say. */
  async peakRssMb() {
    const status = await readFile(`/proc/${this.#child.pid}/status`, "utf8").catch(() => "");
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
    return kib && Math.round(Number(kib) / 1024);
  }

  stop() {
    this.#child.stdin.end();
    this.#child.kill();
  }
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/**
 * The environment in which PyTorch is fastest: glibc keeps what a step gives back. It would return large blocks to the system and
 * pay for each of their pages anew in the next step, which on a virtual machine took half of the time or more.
 */
export const torchEnvironment = (threads) => ({
  ...{ OMP_NUM_THREADS: `${threads}`, MALLOC_MMAP_MAX_: "0" },
  ...{ MALLOC_TRIM_THRESHOLD_: `${2 ** 34}`, MALLOC_TOP_PAD_: `${2 ** 26}` },
});
