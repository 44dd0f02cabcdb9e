import { printable } from "../../base/errors.js";
import { formatCount, formatDim } from "../../base/format.js";
import type { GridFacts } from "./facts.js";
import type { PaperColumn } from "./grid.js";
import type { Estimate } from "./statistics.js";
import type { CellRow, Summary } from "./summary.js";

/** `71.20 ± 0.55`, or that there was one seed. */
export function formatEstimate(e: Estimate | undefined, format = (v: number) => v.toFixed(2)): string {
  if (!e) return "–";
  return e.half === undefined ? `${format(e.mean)} (one seed)` : `${format(e.mean)} ± ${e.half.toFixed(2)}`;
}

const signed = (v: number): string => `${v < 0 ? "−" : "+"}${Math.abs(v).toFixed(2)}`;

/** Titles and cells of the table, for the page and for the terminal. */
export function tableOf({ cells }: Summary, { paper }: GridFacts): { titles: string[]; rows: string[][] } {
  const first = cells[0]!;
  return {
    titles: [
      ...["cell", "parameters", "MACs", "top-1, last epoch", "top-1, best epoch", `against ${first.label}`],
      ...(paper ? [`paper (${paper.title})`] : []),
    ],
    rows: cells.map((c) => [
      ...[c.label, formatCount(c.parameters), formatDim(c.macs, formatCount)],
      ...[`${formatEstimate(c.last)}${shortfall(c)}`, formatEstimate(c.best)],
      c === first ? "" : formatEstimate(c.difference, signed),
      ...(paper ? [paperFigure(paper, c.label)] : []),
    ]),
  };
}

const paperFigure = ({ top1 }: PaperColumn, label: string): string =>
  Object.hasOwn(top1, label) ? top1[label]!.toFixed(2) : "";

/** What the mean does not stand on. */
function shortfall({ runs, planned }: CellRow): string {
  const diverged = runs.filter((r) => r.diverged !== undefined).length;
  return [
    diverged > 0 ? `; ${diverged} diverged` : "",
    runs.length < planned ? `; ${runs.length} of ${planned} seeds` : "",
  ].join("");
}

/** The page `ablation.md`. A function of the figures alone: it has no times, and a grid that was stopped has the same. */
export function page(summary: Summary, facts: GridFacts): string {
  const { cells, refused, done, planned } = summary;
  const { titles, rows } = tableOf(summary, facts);
  const several = facts.seeds.length > 1;
  return [
    `# ${text(facts.grid.title)}`,
    "",
    done < planned ? `**Not finished: ${done} of ${planned} runs are done.**\n` : undefined,
    `Top-1 in per cent${several ? ", mean ± 95 % interval over the seeds" : ", one seed: no interval"}.`,
    "",
    markdownTable(titles, rows, [0]),
    "",
    "![accuracy](ablation.svg)",
    "",
    ...(refused.length > 0
      ? ["Not run, because the network cannot be built:", "", ...refused.map(refusal), ""]
      : []),
    "## What stands behind it",
    "",
    ...behind(summary, facts).map((line) => `- ${line}`),
    "",
    settingsTable(cells),
    "",
    "## How to read it",
    "",
    ...reading(summary, facts).map((line) => `- ${line}`),
    "",
    "Made by",
    "",
    "```sh",
    printable(facts.command),
    "```",
    "",
  ]
    .filter((line) => line !== undefined)
    .join("\n");
}

function settingsTable(cells: readonly CellRow[]): string {
  const adapted = cells.some((c) => c.adapted.length > 0);
  return markdownTable(
    ["cell", "settings", ...(adapted ? ["adapted to the widths"] : [])],
    cells.map((c) => [c.label, `\`${c.settings}\``, ...(adapted ? [c.adapted.join(", ")] : [])]),
    [0, 1, 2],
  );
}

const refusal = ({ label, reason }: Summary["refused"][number]): string =>
  `- ${text(label)}: ${text(reason)}`;

const places = {
  second: "the second k×k convolution of each block",
  all: "all k×k convolutions of the blocks",
  every: "every convolution of the blocks",
} as const satisfies Record<GridFacts["layers"], string>;

function behind(
  { cells, software, threads }: Summary,
  { data, recipe, seeds, architecture, layers }: GridFacts,
): string[] {
  const count = (n: number) => n.toLocaleString("en");
  const epochs = [...new Set(cells.map((c) => c.epochs))];
  const { epochs: _, ...settings } = recipe;
  const shape = data.shape.join("×");
  return [
    `Network: ${text(architecture)}; the unit stands for ${places[layers]}${cells.length > 1 ? ", where a cell does not say otherwise" : ""}.`,
    `${seeds.length === 1 ? "Seed" : `${seeds.length} seeds`}: ${seeds.join(", ")}.`,
    `${epochs.join(" or ")} epoch${epochs.length === 1 && epochs[0] === 1 ? "" : "s"} of ${count(data.trainImages)} training images, evaluated on ${count(data.evaluationImages)}.`,
    `Images: ${text(data.source)}, ${data.classes} classes, ${shape}, normalised by ${text(data.normalize)}.`,
    `Recipe: ${Object.entries(settings)
      .map(([k, v]) => `${k} ${v}`)
      .join(", ")}${cells.length > 1 ? ", where a cell does not set another" : ""}.`,
    `Parameters and multiply-adds are of the network as it is trained, for one image of ${shape}.`,
    `Made with ${software.join("; ") || "nothing yet"}; threads: ${threads.join(", ") || "–"}.`,
  ];
}

function reading({ cells }: Summary, { seeds, data }: GridFacts): string[] {
  const images = data.evaluationImages.toLocaleString("en");
  return [
    "The last epoch is the figure to compare. The best epoch was picked on the images that it is measured on, and is too good by that.",
    ...(seeds.length > 1
      ? [
          "Intervals are Student's t over the seeds: how far the mean of other seeds may lie, on the same images. With few seeds they are wide.",
          `"Against ${text(cells[0]!.label)}" is the mean difference seed by seed (paired t interval): a seed gives both the same order of images and the same augmentation. Where the interval holds 0, no difference was shown.`,
          "Each interval is for its own row: of twenty true zeros one is expected to look like a difference.",
        ]
      : ["One seed says nothing about chance: a difference may be the seed's."]),
    `One image is ${(100 / data.evaluationImages).toFixed(2)} points: there are ${images} images to evaluate on.`,
  ];
}

/** Cells are data: a bar or a line break in them would end the cell. */
const text = (value: string): string => printable(value, 400).replaceAll("|", "\\|");

function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly number[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.map(text).join(" | ")} |`;
  return [line(titles), `| ${titles.map((_, i) => (left.includes(i) ? "---" : "---:")).join(" | ")} |`]
    .concat(rows.map(line))
    .join("\n");
}
