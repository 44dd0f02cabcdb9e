import { convUnit, convUnits, standardUnit } from "../../nn/units.js";
import { type Count, countNetwork } from "./count.js";
import { type PaperRow, table2, table3 } from "./figures.js";
import { networks } from "./networks.js";

export interface CountedRow extends PaperRow {
  readonly count: Count;
  /** As the paper counts: convolutions, linear layers, and two operations for each element of a batch norm. */
  readonly macs: number;
  /** Ours over the paper's, less one, in per cent. */
  readonly difference: { readonly parameters: number; readonly macs: number };
}

export const TOLERANCE = 2.5;

export const differs = ({ difference: { parameters, macs } }: CountedRow): boolean =>
  Math.abs(parameters) > TOLERANCE || Math.abs(macs) > TOLERANCE;

/** Builds the row's network, without weights, and counts it. */
export function countRow(r: PaperRow): CountedRow {
  const network = networks[r.network];
  const graph =
    r.unit === "octave network"
      ? (network as { octaves: () => ReturnType<typeof network.build> }).octaves()
      : network.build({
          unit: r.unit === "standard" ? standardUnit : convUnit(r.unit, r.settings),
          where: r.where === undefined || r.where === "none" ? "second" : r.where,
        });
  const count = countNetwork(graph);
  const macs = count.products + 2 * count.normed;
  const percent = (ours: number, theirs: number) => (ours / theirs - 1) * 100;
  return {
    ...{ ...r, count, macs },
    difference: {
      parameters: percent(count.parameters, r.paper.parameters),
      macs: percent(macs, r.paper.macs),
    },
  };
}

export const countTable2 = (): CountedRow[] => table2.map(countRow);
export const countTable3 = (): CountedRow[] => table3.map(countRow);

const million = (n: number): string => `${(n / 1e6).toFixed(n < 1e7 ? 3 : 2)} M`;
const operations = (n: number): string =>
  n < 1e9 ? `${(n / 1e6).toFixed(1)} M` : `${(n / 1e9).toFixed(3)} G`;
const signed = (p: number): string => `${p < 0 ? "−" : "+"}${Math.abs(p).toFixed(1)} %`;

const settingsText = ({ settings = {} }: PaperRow): string =>
  Object.entries(settings)
    .map(([k, v]) => ` ${k === "slimK" ? "k" : k} = ${k === "slimK" ? "4/3" : v}`)
    .join();

const placeText = ({ where, unit }: PaperRow): string =>
  unit === "standard" || where === "none" ? "" : where === undefined ? "second" : where;

function table(rows: readonly CountedRow[], notes: string[]): string {
  const lines = rows.map((r) => {
    const note = differs(r) && r.reason ? ` [${notes.push(`${r.network}, ${r.unit}: ${r.reason}.`)}]` : "";
    const { parameters, products } = r.count;
    return [
      ...[r.network, `${r.unit}${settingsText(r)}`, placeText(r)],
      ...[million(parameters), million(r.paper.parameters), signed(r.difference.parameters)],
      ...[operations(products), operations(r.macs), operations(r.paper.macs)],
      `${signed(r.difference.macs)}${note}`,
    ].join(" | ");
  });
  return [
    "| network | unit | where | parameters | paper | difference | convolutions | with norms | paper | difference |",
    "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...lines.map((l) => `| ${l} |`),
  ].join("\n");
}

/** docs/paper-tables.md. */
export function paperTables(): string {
  const notes: string[] = [];
  const [two, three] = [table(countTable2(), notes), table(countTable3(), notes)];
  const units = Object.entries(convUnits).map(
    ([name, { summary, source }]) => `| \`${name}\` | ${summary} | ${source} |`,
  );
  const variants = Object.entries(networks).map(([name, { variant }]) => `- **${name}**: ${variant}.`);
  return `# The paper's tables 2 and 3, counted

Made by \`npm run paper-tables\` from the networks and units in the code; no figure of accuracy is here. Multiply-adds are for
one image: of convolutions and the classifier ("convolutions"), and with two operations for each element of a batch norm
("with norms"), which is how the paper counts (thop does): its standard ResNet-56, DenseNet-121, WRN-28 and ResNet-101 are met
to the last digit that way, and differences are to that. Kernels are counted by the weights that they are made of.
"where": \`second\` is every 3×3 of a bottleneck or dense layer and the second 3×3 of a basic block, \`all\` every 3×3, \`every\` the
1×1 convolutions as well. A number in brackets is the reason for a difference of more than ${TOLERANCE} %.

## Table 2: CIFAR, 32×32

${two}

## Table 3: ImageNet, 224×224

${three}

## What the paper's SCConv seems to have besides its formula

Its ImageNet rows, and the 14.74 M and 843.81 M of table 1, are met when two things are added to what the text says, which
this project implements: the 1×1 squeezes work before the stride (here features are pooled first), and there is one more
point-wise convolution of u(C − u) weights, u = αC/r. With both, ResNet-50 has 16.77 M and 2.701 G (paper 16.78 M, 2.70 G),
with α = ¾ 17.67 M and 2.856 G (17.69 M, 2.87 G), ResNet-101 27.97 M and 4.896 G (28.00 M, 4.90 G), ResNet-50 on CIFAR 14.73 M
and 844.3 M. Table 2's WRN-28 is met without the further convolution, its ResNet-50 is another one again (14.69 M, 831.18 M).

## Reasons

${notes.map((n, i) => `${i + 1}. ${n}`).join("\n")}

## Which network it is

${variants.join("\n")}

## The units

| \`--conv\` | what it does | source |
| --- | --- | --- |
${units.join("\n")}
`;
}
