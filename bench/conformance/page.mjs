// docs/conformance.md from the results.
import { operators } from "../../dist/index.js";
import { isOurs } from "./ours.mjs";
import { gradientsBySuite, judge, judgeGradients } from "./summary.mjs";

const count = (list, f) => list.filter(f).length;
const table = (head, rows) =>
  [
    `| ${head.join(" | ")} |`,
    `| ${head.map(() => "---").join(" | ")} |`,
    ...rows.map((r) => `| ${r.join(" | ")} |`),
  ].join("\n");
const grouped = (list, key) => {
  const groups = new Map();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
};

/** `12`, or `10 + 2 c`: passed, and skipped for reason c. */
function cell(all, side, letters) {
  const judged = all.filter((j) => j[side]);
  if (judged.length === 0) return "";
  const skipped = grouped(
    judged.filter((j) => j[side].state === "skipped"),
    (j) => letters.get(j[side].why),
  );
  const failed = count(judged, (j) => j[side].state === "failed");
  return [
    `${count(judged, (j) => j[side].state === "passed")}`,
    ...[...skipped].map(([letter, list]) => `${list.length} ${letter}`),
    ...(failed ? [`**${failed} failed**`] : []),
  ].join(" + ");
}

/** a … z, aa … */
const letter = (i) => (i < 26 ? "" : letter(Math.floor(i / 26) - 1)) + String.fromCharCode(97 + (i % 26));

function forwardSection(judged) {
  const known = judged.filter((j) => !/^without rules here/.test(j.ours.why ?? ""));
  const reasons = [
    ...new Set(known.flatMap((j) => [j.ours.why, j.engine.why, j.upgraded?.why]).filter(Boolean)),
  ];
  const letters = new Map(reasons.map((why, i) => [why, letter(i)]));
  const rows = [...grouped(known, (j) => j.row)].sort(([a], [b]) => (a < b ? -1 : 1));
  const body = rows.map(([row, list]) => [
    row,
    list.length,
    cell(list, "ours", letters),
    cell(list, "engine", letters),
    cell(list, "upgraded", letters),
  ]);
  const legend = reasons.map((why) => {
    const n = count(known, (j) => [j.ours, j.engine, j.upgraded].some((v) => v?.why === why));
    return `- **${letters.get(why)}** (${n}): ${why}`;
  });
  const open = [
    ...grouped(
      known.filter((j) => j.open.length > 0),
      (j) => j.row,
    ),
  ].map(([row, list]) => `${row} (${list.length})`);
  return `${table(["operator", "cases", "read, verified, shapes, reference", "engine", "engine, brought up"], body)}

Reasons:

${legend.join("\n")}

With all that is not floating point known, sizes of outputs are told exactly, but for those that depend on floating point
values or on how many there are: ${open.sort().join(", ") || "none"}.`;
}

function strangersSection(judged) {
  const unknown = judged.filter((j) => /^without rules here/.test(j.ours.why ?? ""));
  const why = (j) => /^without rules here \((.*?)\): /.exec(j.ours.why)[1];
  const rows = [...grouped(unknown, why)].sort((a, b) => b[1].length - a[1].length);
  return table(
    ["why", "cases", "operators"],
    rows.map(([reason, list]) => [
      reason,
      list.length,
      [...new Set(list.flatMap((j) => j.case.operators.filter((op) => !isOurs(op))))].sort().join(", "),
    ]),
  );
}

function oursSay(entry, operator) {
  const { grad } = operator;
  if (typeof grad !== "function") return grad.zero ? `zero: ${grad.none}` : `none: ${grad.none}`;
  if (!entry) return "a rule; no case with floats here, own cases in `test/ops`";
  if (entry.passed + entry.moved > 0) return "a rule";
  if (entry.none > 0) return `none: ${[...entry.why].join("; ")}`;
  return "zero";
}

function gradientSection(cases, gradient, schemas) {
  const { table: byInput } = judgeGradients(cases, gradient, schemas);
  const rows = schemas.flatMap((schema) => {
    const operator = operators.get(schema.name);
    if (!operator) return [];
    return schema.inputs.flatMap((input, i) => {
      if (!input.float) return [];
      const entry = byInput.get(`${schema.name} ${i}`);
      const checked = entry ? entry.passed + entry.moved + entry.flat : 0;
      const notes = [
        entry?.moved && `${entry.moved} beside a corner`,
        entry?.none && `${entry.none} not asked: ${[...entry.why].join("; ")}`,
      ];
      const says = oursSay(entry, operator);
      const extra = says.startsWith("none") ? [] : notes.filter(Boolean);
      const cases = [checked || "", ...extra].filter(Boolean).join(", ");
      return [[schema.name, input.name, input.category, says, cases]];
    });
  });
  const lacking = rows.filter((r) => r[2] === "Differentiable" && r[3].startsWith("none"));
  const others = schemas.filter(
    (s) => !operators.has(s.name) && s.inputs.some((i) => i.category === "Differentiable"),
  );
  const suites = [...gradientsBySuite(cases, gradient)].sort(([a], [b]) => (a < b ? -1 : 1));
  return `Of ${count(rows, (r) => r[2] === "Differentiable")} inputs that ONNX calls differentiable (floating point, of our operators), ${
    lacking.length
  } have no derivative here: ${lacking.map((r) => `${r[0]} (${r[1]})`).join(", ") || "none"}. Without rules of any kind:
${others.map((s) => s.name).join(", ")}.

${table(["operator", "input", "ONNX says", "ours", "cases checked"], rows)}

Cases of several operators, by input: differentiated and right at the case's own point, right beside a corner, zero on both
sides, and not differentiable.

${table(
  ["cases", "with floating point inputs", "right", "beside a corner", "zero", "not differentiable"],
  suites.map(([row, e]) => [row, e.cases, e.passed, e.moved, e.flat, e.none]),
)}`;
}

export function page(index, forward, gradient, runtime) {
  const judged = judge(index.cases, forward);
  const known = judged.filter((j) => !/^without rules here/.test(j.ours.why ?? ""));
  const inputs = [...gradient.values()].flatMap((r) => Object.values(r));
  const right = count(inputs, (s) => /^(passed|moved|flat)$/.test(s));
  const state = (side, s) => count(known, (j) => j[side]?.state === s);
  return `# Conformance

ONNX's own backend cases (onnx ${index.onnx}, operator sets up to ${index.opset}), against this project's rules and against
${runtime} through them. Made by

\`\`\`sh
python bench/conformance/export-cases.py DIR      # pip install onnx==${index.onnx}
npm run conformance -- --cases DIR --page docs/conformance.md
\`\`\`

which fails when a case fails without a reason, or when a reason is no longer needed.

Whole networks, as PyTorch's exporters write them, stand in [exporters.md](exporters.md); hostile input, case by case, in
[conformance/hostile.md](conformance/hostile.md), a run of the fuzzer in [conformance/fuzz.md](conformance/fuzz.md), time and memory of
large models in [conformance/large.md](conformance/large.md).

## Forwards

${index.cases.length} cases; ${known.length} have only operators with rules here. Each is decoded, brought up to operator set 18 where it is
older, verified, its output types inferred and compared, encoded and decoded again, run by our reference arithmetic, run
once more by constant folding with all inputs made constants, and run by the engine: as it is, and as it was brought up. A
set or file version that is newer than the engine takes is written in the newest that it does take. Values are compared with
the case's own tolerances, 16-bit floats to two units in the last place.

- Ours: ${state("ours", "passed")} passed, ${state("ours", "skipped")} skipped with a reason, ${state("ours", "failed")} failed.
- The engine on the case as we write it: ${state("engine", "passed")} passed, ${state("engine", "skipped")} skipped with a reason, ${state("engine", "failed")} failed.
- The engine on the case brought up to set 18 (of those that are older): ${state("upgraded", "passed")} passed, ${state("upgraded", "skipped")} skipped with a reason, ${state("upgraded", "failed")} failed.

${forwardSection(judged)}

Cases with operators that have no rules here; a graph that has them is read and carried, and says so:

${strangersSection(judged)}

## Gradients

Every case with floating point inputs and results, in float64 reference arithmetic: the derivative of Σ y ⊙ r (r random)
along a random direction, for each input, by our rules and by central differences (step 10⁻⁵, tolerance 10⁻⁶ of the
gradient). ${right} inputs agree, ${count(inputs, (s) => s.startsWith("none"))} have no derivative by rule, ${count(inputs, (s) => s.startsWith("failed"))} disagree. Where a case's point
lies on a corner (a tie, a bound) or on the edge of where the function is defined, the comparison is made beside it (at
10⁻³, or farther, up to ½, until the corner is out of reach). Infinities are replaced.

${gradientSection(index.cases, gradient, index.schemas)}
`;
}

/** Everything that did not pass and has no reason. */
export function unexplained(index, forward, gradient) {
  const judged = judge(index.cases, forward);
  const { failed } = judgeGradients(index.cases, gradient, index.schemas);
  return [
    ...judged.flatMap((j) =>
      ["ours", "engine", "upgraded"]
        .filter((s) => j[s]?.state === "failed")
        .map((s) => `${j.case.folder}: ${j[s].why}`),
    ),
    ...failed,
  ];
}
