import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ScconvError } from "../../base/errors.js";
import { fileError } from "../../host/node/file-errors.js";
import { nodeEngine } from "../../host/node/ort.js";
import { command } from "../command.js";
import { checkGolden, type GoldenResult } from "../golden.js";
import type { Paint } from "../paint.js";
import { table } from "../table.js";

export default command<[string], object>({
  configure: (c) => c.argument("<folder>", "golden vectors (*.safetensors)"),

  async run([folder], _, { threads, signal, progress }) {
    const names = await readdir(folder).catch((cause) => {
      throw fileError("cannot read the golden vectors", folder, cause);
    });
    const files = names.filter((n) => n.endsWith(".safetensors")).sort();
    if (files.length === 0) {
      throw new ScconvError("bad-input", "no golden vectors here", {
        where: folder,
        need: "*.safetensors files",
        got: names.length === 0 ? "an empty folder" : names.slice(0, 3).join(", "),
      });
    }
    const engine = nodeEngine({ threads });
    const phase = progress.phase("conform", files.length);
    const cases: GoldenResult[] = [];
    for (const file of files) {
      signal.throwIfAborted();
      const bytes = await readFile(join(folder, file));
      cases.push(await checkGolden(engine, file, bytes));
      phase.tick(cases.length);
    }
    phase.done();
    const passed = cases.filter((c) => c.pass).length;
    const failed = cases.length - passed;
    return {
      document: { cases, passed, failed },
      text: (paint) => textOf(cases, paint),
      failed: failed > 0,
    };
  },
});

function textOf(cases: readonly GoldenResult[], { good, bad, bold }: Paint): string {
  const rows = cases.map(({ file, forward, gradients, pass }) => {
    const [name, worst] = Object.entries(gradients).reduce<[string, number]>(
      (a, b) => (b[1] > a[1] ? b : a),
      ["–", 0],
    );
    return [file, forward.toExponential(1), worst.toExponential(1), name, pass ? "pass" : "FAIL"];
  });
  const columns = [
    { title: "vector" },
    { title: "forward", align: "right" as const },
    { title: "gradients (worst)", align: "right" as const },
    { title: "of" },
    { title: "" },
  ];
  const passed = cases.filter((c) => c.pass).length;
  const sum = bold(`${passed} of ${cases.length} agree`);
  return `${table(columns, rows)}\n\n${passed === cases.length ? good(sum) : bad(sum)} (relative errors)`;
}
