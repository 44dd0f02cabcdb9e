import type { Grid } from "./grid.js";
import { table1, table2, table3 } from "./paper.js";

const order: Grid = {
  name: "order",
  title: "Which units, in which order",
  chart: "rows",
  paper: [table1],
  cells: [
    { label: "standard", flags: { conv: "standard" } },
    { label: "+S", flags: { conv: "scconv", order: "s" } },
    { label: "+C", flags: { conv: "scconv", order: "c" } },
    { label: "parallel S, C", flags: { conv: "scconv", order: "parallel" } },
    { label: "C+S", flags: { conv: "scconv", order: "cs" } },
    { label: "S+C", flags: { conv: "scconv", order: "sc" } },
  ],
};

const alpha: Grid = {
  name: "alpha",
  title: "The share α of the channels in the upper part",
  chart: "macs",
  paper: [table3],
  cells: [
    { label: "standard", flags: { conv: "standard" } },
    ...["1/8", "1/4", "3/8", "1/2", "5/8", "3/4", "7/8"].map((share) => {
      const [above, below] = share.split("/").map(Number) as [number, number];
      return { label: `α = ${share}`, flags: { conv: "scconv", alpha: above / below } };
    }),
  ],
};

/**
 * What the gate is. γ begins at 1, so w = 1/C and the gate sees sigmoid(ĝ/C): a threshold of 0.51 asks for ĝ > 0.64 at 16
 * channels and for ĝ > 2.6 at 64. Further from one half nearly nothing would pass.
 */
const gate: Grid = {
  name: "gate",
  title: "The gate of the spatial unit",
  chart: "rows",
  cells: [
    { label: "straight-through", flags: { conv: "scconv", gate: "straight-through" } },
    { label: "hard", flags: { conv: "scconv", gate: "hard" } },
    { label: "soft", flags: { conv: "scconv", gate: "soft" } },
    { label: "decided per channel", flags: { conv: "scconv", scope: "channel" } },
    { label: "threshold 0.49", flags: { conv: "scconv", threshold: 0.49 } },
    { label: "threshold 0.51", flags: { conv: "scconv", threshold: 0.51 } },
    { label: "no gate (C alone)", flags: { conv: "scconv", order: "c" } },
    { label: "standard convolution", flags: { conv: "standard" } },
  ],
};

/** Table 2, each with its settings there, and the depthwise separable convolution, which is not in it. */
const rivals: Grid = {
  name: "rivals",
  title: "Other convolutions in the same place",
  chart: "rows",
  paper: table2,
  cells: [
    { label: "standard", flags: { conv: "standard" } },
    { label: "OctConv", flags: { conv: "octconv", alpha: 0.5 } },
    { label: "SPConv", flags: { conv: "spconv", alpha: 0.5 } },
    { label: "Ghost", flags: { conv: "ghost", ghostRatio: 2 } },
    { label: "SlimConv", flags: { conv: "slimconv", slimK: 1 } },
    { label: "TiedConv", flags: { conv: "tiedconv", tiedBlocks: 2 } },
    { label: "depthwise separable", flags: { conv: "depthwise-separable" } },
    { label: "SCConv", flags: { conv: "scconv" } },
  ],
};

/** A new grid is one row here. */
export const grids = { order, alpha, gate, rivals } as const satisfies Readonly<Record<string, Grid>>;
