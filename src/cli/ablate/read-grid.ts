import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { ScconvError } from "../../base/errors.js";
import { fileError } from "../../host/node/file-errors.js";
import { readCellFlags } from "./cell.js";
import type { Cell, CellFlags, Grid } from "./grid.js";
import { grids } from "./grids.js";

/** A grid by its name, or from a file: `{"cells": [{"label": "…", "conv": "scconv", "order": "s"}, …]}`. */
export async function readGrid(spec: string): Promise<Grid> {
  if (Object.hasOwn(grids, spec)) return grids[spec as keyof typeof grids];
  if (!spec.endsWith(".json")) {
    throw new ScconvError("usage", `no grid is called "${spec}"`, {
      need: `${Object.keys(grids).join(", ")}, or a file GRID.json`,
    });
  }
  const text = await readFile(spec, "utf8").catch((cause) => {
    throw fileError("cannot read the grid", spec, cause);
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new ScconvError("bad-input", "not JSON", { where: spec, cause });
  }
  return gridOf(parsed, spec);
}

/** Checks what a file holds; throws `bad-input` with the place. */
export function gridOf(parsed: unknown, where: string): Grid {
  const wrong = (what: string, need: string, place = where) =>
    new ScconvError("bad-input", what, { where: place, need });
  if (!isObject(parsed)) throw wrong("not a grid", 'an object with "cells"');
  const { name = basename(where, ".json"), title = name, chart = "rows", paper, cells, ...others } = parsed;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw wrong(`no field of a grid is called "${other}"`, "name, title, chart, paper, cells");
  }
  for (const [key, value] of Object.entries({ name, title, paper })) {
    if (value !== undefined && typeof value !== "string") throw wrong(`${key} is no text`, "a text");
  }
  if (chart !== "rows" && chart !== "macs") throw wrong("no such chart", '"rows" or "macs"');
  if (!Array.isArray(cells) || cells.length === 0)
    throw wrong("no cells", 'a list "cells" with one at least');
  const read = cells.map((cell: unknown, i) => cellOf(cell, `${where}, cell ${i + 1}`));
  const top1 = read.flatMap(({ cell, paper: figure }) =>
    figure === undefined ? [] : [[cell.label, figure] as const],
  );
  return {
    ...{ name: name as string, title: title as string, chart },
    ...(top1.length === 0
      ? {}
      : { paper: [{ title: (paper ?? "top-1") as string, top1: Object.fromEntries(top1) }] }),
    cells: read.map(({ cell }) => cell),
  };
}

function cellOf(cell: unknown, where: string): { readonly cell: Cell; readonly paper: number | undefined } {
  const wrong = (what: string, need: string) => new ScconvError("bad-input", what, { where, need });
  if (!isObject(cell)) throw wrong("not a cell", 'an object such as {"label": "S+C", "conv": "scconv"}');
  const { label, paper, ...flags } = cell;
  if (typeof label !== "string" || label.trim() === "") throw wrong("no label", 'a text "label"');
  if (paper !== undefined && (typeof paper !== "number" || !Number.isFinite(paper))) {
    throw wrong("paper is no number", "top-1 in per cent");
  }
  for (const [key, value] of Object.entries(flags)) {
    if (!["string", "number", "boolean"].includes(typeof value)) {
      throw wrong(`setting ${key} is no text, number, true or false`, "a value as a flag takes it");
    }
  }
  readCellFlags(flags as CellFlags, `${where} "${label}"`);
  return { cell: { label, flags: flags as CellFlags }, paper };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
