/** A grid of training runs: what is compared, as data. */

/** The flags of `scconv train` that make a cell, by their names in camelCase; `architecture` stands for its argument. */
export type CellFlags = Readonly<Record<string, string | number | boolean>>;

export interface Cell {
  readonly label: string;
  readonly flags: CellFlags;
}

/** Top-1 in per cent that a paper reports for cells, by their labels. */
export interface PaperColumn {
  /** Table, network and images. */
  readonly title: string;
  /** The network and the number of classes that it is for, as far as a column is chosen by them. */
  readonly architecture?: string;
  readonly classes?: number;
  readonly top1: Readonly<Record<string, number>>;
}

export interface Grid {
  readonly name: string;
  /** What is compared. */
  readonly title: string;
  /** The first one is what the others are compared with. */
  readonly cells: readonly Cell[];
  /** A row for each cell, or accuracy against multiply-adds with a line through the cells. */
  readonly chart: "rows" | "macs";
  /** One of these stands beside the figures: the one for the network and the classes, else the first. */
  readonly paper?: readonly PaperColumn[];
}

export function paperColumn(
  { paper = [] }: Grid,
  architecture: string,
  classes: number,
): PaperColumn | undefined {
  return paper.find((c) => c.architecture === architecture && c.classes === classes) ?? paper[0];
}
