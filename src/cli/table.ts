import Table from "cli-table3";
import { printable } from "../base/errors.js";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** A table without rules, which reads well in a terminal and survives a paste. Cells are data: control bytes are shown. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const none = "";
  const t = new Table({
    head: columns.map((c) => c.title),
    colAligns: columns.map((c) => c.align ?? "left"),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    chars: {
      top: none,
      "top-mid": none,
      "top-left": none,
      "top-right": none,
      bottom: none,
      "bottom-mid": none,
      "bottom-left": none,
      "bottom-right": none,
      left: none,
      "left-mid": none,
      mid: none,
      "mid-mid": none,
      right: none,
      "right-mid": none,
      middle: none,
    },
  });
  t.push(...rows.map((row) => row.map((cell) => printable(cell, 200))));
  return t
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
