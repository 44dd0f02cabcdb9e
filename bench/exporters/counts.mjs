// Parameters and multiply-adds beside fvcore's and torchvision's published figures.
import { letters, table } from "./markdown.mjs";

const count = (n) => n.toLocaleString("en-US");

const round = (macs) => Math.round(macs / 1e6) / 1e3;

function differences(network, figures) {
  const why = [];
  if (figures.decides)
    why.push(
      `the second stage runs once for each box that is left (\`inspect\` says which node decides, a ${figures.decides}, and what each costs); fvcore counts those that PyTorch had`,
    );
  if (network.heads > 0) why.push("auxiliary heads, which inference does not run, are not in the file");
  if (figures.folded > 0)
    why.push("of a folded batch norm the file has one bias, where PyTorch has a scale and a shift");
  if (figures.others > 0) why.push("constants that nobody learns (anchors, say) count as parameters");
  for (const { op } of figures.uncounted ?? []) why.push(`${op} is not counted, and \`inspect\` says so`);
  return why;
}

const frozen =
  "published with batch norms frozen, whose scales are then no parameters; multiply-adds published at other sizes are left out";
const auxiliary = "published with the auxiliary head that its pretrained weights have";

/** What the published figures of a network were taken with, where that is not what is exported here. */
const otherwise = {
  fcn_resnet50: auxiliary,
  deeplabv3_resnet50: auxiliary,
  fasterrcnn_resnet50_fpn: frozen,
  retinanet_resnet50_fpn: frozen,
};

const distinct = (key, list) => [...new Set(list.map((f) => f[key]).filter((v) => v !== undefined))];

/** Of one network, over its files; `heads`: how many parameters only training uses. */
export function countsOf(network, resultOf) {
  const results = network.files.map((f) => ({ ...resultOf(f)?.figures, sizes: f.sizes }));
  return {
    parameters: distinct("parameters", results),
    macs: distinct(
      "macs",
      results.filter((f) => f.sizes === "open"),
    ),
    differences: [...new Set(results.flatMap((f) => differences(network, f)))],
  };
}

/** Whether what is published is something else, and what of it can be compared. */
function published({ task, parameters, published, counts: { macs } }) {
  const gmacs = task === "detector" ? undefined : published.gmacs;
  const other =
    published.parameters !== undefined &&
    (published.parameters !== parameters || (gmacs !== undefined && !macs.every((m) => round(m) === gmacs)));
  return { other, gmacs };
}

/** Networks whose published figures are other ones and nobody says why. */
export const unexplainedCounts = (networks) =>
  networks
    .filter((n) => published(n).other && !otherwise[n.name])
    .map((n) => `${n.name}: parameters or multiply-adds are not the published ones`);

export function countsSection(networks) {
  const marks = letters("d");
  const rows = networks.map((network) => {
    const { other, gmacs } = published(network);
    const why = [...network.counts.differences];
    if (other) why.push(otherwise[network.name] ?? "**not explained**");
    return [
      network.name,
      network.counts.parameters.map(count).join(" / "),
      count(network.parameters),
      network.published.parameters === undefined ? "" : count(network.published.parameters),
      `${network.counted}×${network.counted}`,
      network.counts.macs.map(count).join(" / "),
      network.fvcore.open === null ? "" : count(network.fvcore.open),
      gmacs === undefined ? "" : `${gmacs} G`,
      why.map((w) => marks.of(w)).join(", "),
    ];
  });
  const head = [
    ...["network", "parameters in the file", "PyTorch's", "published"],
    ...["image", "multiply-adds", "fvcore's", "published", "differences"],
  ];
  return `## Parameters and multiply-adds

Of one image, by \`inspect\` of the files with open sizes, beside what PyTorch counts, what fvcore counts (convolutions and matrix
products) and what torchvision publishes. In the files of fixed sizes, too, multiply-adds equal fvcore's to the last digit, or the file
fails. Several figures: exporters differ.

${table(head, rows)}

${marks.legend()}`;
}
