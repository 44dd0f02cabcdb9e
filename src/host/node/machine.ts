import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, type as osType, release, totalmem } from "node:os";

/** What a latency depends on besides the model. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Instruction sets that the engine's kernels are chosen by. */
  readonly instructions: readonly string[];
  readonly memoryBytes: number;
  readonly os: string;
  readonly node: string;
}

const telling = ["avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "asimd", "sve"];

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || "unknown",
    cores: availableParallelism(),
    instructions: instructionSets(),
    memoryBytes: totalmem(),
    os: `${osType()} ${release()} ${arch()}`,
    node: process.version,
  };
}

/** Known on Linux; elsewhere Node has no way to ask. */
function instructionSets(): string[] {
  try {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"));
    const flags = new Set(line?.[1]?.trim().split(/\s+/));
    return telling.filter((name) => flags.has(name));
  } catch {
    return [];
  }
}
