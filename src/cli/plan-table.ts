import { formatMs } from "../base/format.js";
import type { Form } from "../surgery/choose-layers.js";
import type { FormSettings, LayerPlan } from "./layer-plan.js";
import { table } from "./table.js";

/** For people: what each form saves where, and what was chosen. */
export function planTable({ layers, forms, totalMs, predicted, measured, trials }: LayerPlan): string {
  const label = ({ alpha, scope }: FormSettings) => `α ${alpha} ${scope}`;
  const right = (title: string) => ({ title, align: "right" as const });
  const cell = (f: Form | undefined, taken: boolean) => {
    if (!f) return "does not fit";
    const saved = `${f.saving > 0 ? "−" : "+"}${formatMs(Math.abs(f.saving))} ±${formatMs(f.uncertainty)}`;
    return `${saved}${f.error === undefined ? "" : ` · error ${f.error.toFixed(2)}`}${taken ? " ✓" : ""}`;
  };
  const rows = layers.map((l) => [
    l.name,
    formatMs(l.ms),
    ...l.forms.map((f, i) => cell(f, i === l.chosen)),
    l.chosen === undefined ? "kept" : label(forms[l.chosen]!),
  ]);
  const head = [
    ...[{ title: "layer" }, right("surroundings")],
    ...forms.map((f) => right(label(f))),
    { title: "chosen" },
  ];
  const tried = (trials ?? []).map(
    (t) =>
      `tried ${t.swapped} ${t.swapped === 1 ? "layer" : "layers"} at ${(1 - t.saving / totalMs).toFixed(3)} of the time: top-1 ${t.lost > 0 ? "−" : "+"}${Math.abs(t.lost).toFixed(2)} points`,
  );
  return `${[table(head, rows), ...tried].join("\n")}\n\nnetwork ${formatMs(totalMs)} · predicted ${predicted.toFixed(3)} of it, measured ${measured.toFixed(3)}`;
}
