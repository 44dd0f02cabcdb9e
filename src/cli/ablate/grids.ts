import type { Cell, Grid } from "./grid.js";

/** Li, Wen, He, CVPR 2023, Table 1: ResNet-50 on CIFAR-100. */
const order: Grid = {
  name: "order",
  title: "Which units, in which order",
  chart: "rows",
  paper: "Table 1: ResNet-50, CIFAR-100",
  cells: [
    { label: "standard", flags: { conv: "standard" }, paper: 78.6 },
    { label: "+S", flags: { conv: "scconv", order: "s" }, paper: 79.59 },
    { label: "+C", flags: { conv: "scconv", order: "c" }, paper: 79.21 },
    { label: "parallel S, C", flags: { conv: "scconv", order: "parallel" }, paper: 79.26 },
    { label: "C+S", flags: { conv: "scconv", order: "cs" }, paper: 79.54 },
    { label: "S+C", flags: { conv: "scconv", order: "sc" }, paper: 79.89 },
  ],
};

/** Figure 4. The paper prints figures for two of these, on ImageNet (Table 3). */
const alpha: Grid = {
  name: "alpha",
  title: "The share α of the channels in the upper part",
  chart: "macs",
  paper: "Table 3: ResNet-50, ImageNet",
  cells: [
    { label: "standard", flags: { conv: "standard" }, paper: 76.15 },
    ...[1, 2, 3, 4, 5, 6, 7].map((n): Cell => {
      const paper = n === 4 ? 76.41 : n === 6 ? 76.79 : undefined;
      const share = { 2: "1/4", 4: "1/2", 6: "3/4" }[n] ?? `${n}/8`;
      const flags = { conv: "scconv", alpha: n / 8 };
      return { label: `α = ${share}`, flags, ...(paper === undefined ? {} : { paper }) };
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
    { label: "one decision per channel", flags: { conv: "scconv", scope: "channel" } },
    { label: "threshold 0.49", flags: { conv: "scconv", threshold: 0.49 } },
    { label: "threshold 0.51", flags: { conv: "scconv", threshold: 0.51 } },
    { label: "no gate (C alone)", flags: { conv: "scconv", order: "c" } },
    { label: "standard convolution", flags: { conv: "standard" } },
  ],
};

/** A new grid is one row here. */
export const grids = { order, alpha, gate } as const satisfies Readonly<Record<string, Grid>>;
