/** A grid of training runs: what is compared, as data. */

/** The flags of `scconv train` that make a cell, by their names in camelCase; `architecture` stands for its argument. */
export type CellFlags = Readonly<Record<string, string | number | boolean>>;

export interface Cell {
  readonly label: string;
  readonly flags: CellFlags;
  /** Top-1 that the paper reports for it. */
  readonly paper?: number;
}

export interface Grid {
  readonly name: string;
  /** What is compared. */
  readonly title: string;
  /** The first one is what the others are compared with. */
  readonly cells: readonly Cell[];
  /** A row for each cell, or accuracy against multiply-adds with a line through the cells. */
  readonly chart: "rows" | "macs";
  /** Where the cells' paper figures come from. */
  readonly paper?: string;
}
