// What all steps of all cases come to, with a reason for each that did not pass.
import { reasonFor } from "./reasons.mjs";

const OURS = ["read", "shapes", "reference"];
const passes = new Set(["passed", "moved", "flat"]);

/** The row of the table that a case counts in: its operator, or the suite. */
export function rowOf(c) {
  if (c.kind !== "node") return `(${c.kind})`;
  if (c.operators.length === 1) return c.operators[0];
  if (c.name.includes("_expanded")) return "(function bodies)";
  return c.operators.find((op) => ["If", "Loop", "Scan"].includes(op)) ?? "(several operators)";
}

/** `passed`, or `skipped` with why, or `failed` with what. */
function verdict(c, steps, names) {
  let result = { state: "passed" };
  for (const step of names) {
    const text = steps[step];
    if (text === undefined || passes.has(text)) continue;
    const skipped = /^skipped: (.*)/s.exec(text)?.[1] ?? reasonFor(c.folder, step, text);
    if (!skipped) return { state: "failed", why: `${step} ${text}` };
    result = { state: "skipped", why: skipped };
  }
  return result;
}

/** For each case what ours and the engine made of it, and of it brought up to set 18 where it is older. */
export const judge = (cases, forward) =>
  cases.map((c) => {
    const steps = forward.get(c.folder) ?? { read: "failed: was not run" };
    const read = verdict(c, steps, ["read"]);
    const unread = read.state !== "passed";
    return {
      case: c,
      row: rowOf(c),
      ours: unread ? read : verdict(c, steps, OURS),
      engine: unread ? read : verdict(c, steps, ["engine"]),
      upgraded: unread || !steps.upgraded ? undefined : verdict(c, steps, ["upgraded"]),
      open: steps.open ?? [],
    };
  });

/** For each operator and input: how often its derivative was checked, and what else was said of it. */
export function judgeGradients(cases, gradient, schemas) {
  const inputsOf = new Map(schemas.map((s) => [s.name, s.inputs]));
  const table = new Map();
  const failed = [];
  for (const c of cases) {
    for (const [i, text] of Object.entries(gradient.get(c.folder) ?? {})) {
      const state = passes.has(text) ? text : /^none/.test(text) ? "none" : "failed";
      if (state === "failed") failed.push(`${c.folder}, input ${i}: ${text}`);
      if (rowOf(c).startsWith("(")) continue;
      const inputs = inputsOf.get(c.operators[0]) ?? [];
      // The last input of a schema may stand for any number.
      const key = `${rowOf(c)} ${Math.min(Number(i), inputs.length - 1)}`;
      const entry = table.get(key) ?? { passed: 0, moved: 0, flat: 0, none: 0, failed: 0, why: new Set() };
      entry[state]++;
      if (state === "none")
        entry.why.add(text.replace(/^none: /, "").replace(/^\w+ "[^"]*"(, input \d+)?: /, ""));
      table.set(key, entry);
    }
  }
  return { table, failed };
}

/** How often the derivatives of a suite's cases, which have several operators, were checked. */
export function gradientsBySuite(cases, gradient) {
  const suites = new Map();
  for (const c of cases) {
    const row = rowOf(c);
    if (!row.startsWith("(")) continue;
    const entry = suites.get(row) ?? { cases: 0, passed: 0, moved: 0, flat: 0, none: 0 };
    const states = Object.values(gradient.get(c.folder) ?? {});
    if (states.length > 0) entry.cases++;
    for (const text of states) {
      const state = passes.has(text) ? text : /^none/.test(text) ? "none" : undefined;
      if (state) entry[state]++;
    }
    suites.set(row, entry);
  }
  return suites;
}
