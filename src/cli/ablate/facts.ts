import type { DataSet } from "../../data/data-set.js";
import type { Recipe } from "../../train/recipe.js";
import type { Where } from "../../zoo/index.js";
import type { RunConfig } from "../run-config.js";
import { type Grid, type PaperColumn, paperColumn } from "./grid.js";

/** What stands behind a grid's figures besides the cells. */
export interface GridFacts {
  readonly grid: Pick<Grid, "name" | "title" | "chart">;
  readonly paper: PaperColumn | undefined;
  /** Label of the first cell, which the others are compared with. */
  readonly reference: string;
  readonly architecture: string;
  readonly seeds: readonly number[];
  readonly data: {
    readonly source: string;
    readonly trainImages: number;
    readonly evaluationImages: number;
    readonly classes: number;
    /** Channels, height, width. */
    readonly shape: readonly [number, number, number];
    readonly normalize: string;
  };
  /** Of the first cell; a cell that sets another says so. */
  readonly recipe: Recipe;
  readonly layers: Where;
  readonly command: string;
}

export function factsOf(
  grid: Grid,
  config: RunConfig,
  data: DataSet,
  { seeds, command }: { seeds: readonly number[]; command: string },
): GridFacts {
  const { name, title, chart } = grid;
  return {
    grid: { name, title, chart },
    paper: paperColumn(grid, config.architecture, data.classes.length),
    reference: grid.cells[0]!.label,
    ...{ architecture: config.architecture, seeds, recipe: config.recipe, layers: config.layers, command },
    data: {
      ...{ source: data.source, classes: data.classes.length, normalize: config.normalize },
      ...{ trainImages: data.train?.length ?? 0, evaluationImages: data.test?.length ?? 0 },
      shape: [data.channels, data.height, data.width],
    },
  };
}
