// Parameters and multiply-adds beside fvcore's and torchvision's published figures.
import { letters, table } from "./page.mjs";

const sum = (record) => Object.values(record).reduce((a, b) => a + b, 0);
const count = (n) => n.toLocaleString("en-US");

const round = (macs) => Math.round(macs / 1e6) / 1e3;

function differences(network, figures) {
  const why = [];
  if (sum(network.unused) > 0) why.push("auxiliary heads, which inference does not run, are not in the file");
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

const distinct = (key, list) => [...new Set(list.map((f) => f[key]).filter((v) => typeof v === "number"))];

/** Of one network: what is counted, and whether it is what is published. */
function counted(network, resultOf) {
  const results = network.files.map((f) => ({ ...resultOf(network, f)?.figures, sizes: f.sizes }));
  const all = sum(network.parameters) + sum(network.unused);
  const open = results.filter((f) => f.sizes === "open");
  const macs = distinct("macs", open);
  const { parameters, gmacs } = network.published;
  const comparable = network.task !== "detector" && gmacs !== undefined;
  const other =
    parameters !== undefined &&
    (parameters !== all || (comparable && !macs.every((m) => round(m) === gmacs)));
  return { results, all, macs, other, gmacs: comparable ? gmacs : undefined };
}

/** Networks whose published figures are other ones and nobody says why. */
export const unexplainedCounts = (networks, resultOf) =>
  networks
    .filter((n) => counted(n, resultOf).other && !otherwise[n.name])
    .map((n) => `${n.name}: parameters or multiply-adds are not the published ones`);

export function countsSection(networks, resultOf) {
  const marks = letters("d");
  const rows = networks.map((network) => {
    const { results, all, macs, other, gmacs } = counted(network, resultOf);
    const why = new Set(results.flatMap((f) => differences(network, f)));
    if (other) why.add(otherwise[network.name] ?? "**not explained**");
    const { published } = network;
    return [
      network.name,
      distinct("parameters", results).map(count).join(" / "),
      count(all),
      published.parameters === undefined ? "" : count(published.parameters),
      `${network.counted}×${network.counted}`,
      macs.map(count).join(" / "),
      network.fvcore.open === null ? "" : count(network.fvcore.open),
      gmacs === undefined ? "" : `${gmacs} G`,
      [...why].map((w) => marks.of(w)).join(", "),
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
