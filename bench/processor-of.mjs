/**
 * The kind of processor, for headings and names of files: sections of several stand side by side, and the first that had one, an
 * EPYC with AVX-512, goes without saying.
 */
export function processorOf({ machine: { cpu, instructions } }) {
  if (!instructions.includes("avx512f")) return { title: ", without AVX-512", file: "-avx2" };
  return cpu.includes("Intel") ? { title: ", Intel Xeon", file: "-xeon" } : { title: "", file: "" };
}
