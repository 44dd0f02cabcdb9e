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
  return why;
}

/** What the published figures of a network were taken with, where that is not what is exported here. */
const otherwise = {
  googlenet: "published without the auxiliary heads, as here",
  fcn_resnet50: "published with the auxiliary head that its pretrained weights have",
  deeplabv3_resnet50: "published with the auxiliary head that its pretrained weights have",
};

export function countsSection(networks, resultOf) {
  const marks = letters("d");
  const rows = networks.map((network) => {
    const results = network.files.map((f) => ({ ...resultOf(network, f)?.figures, sizes: f.sizes }));
    const distinct = (key, list) => [
      ...new Set(list.map((f) => f[key]).filter((v) => typeof v === "number")),
    ];
    const all = sum(network.parameters) + sum(network.unused);
    const why = new Set(results.flatMap((f) => differences(network, f)));
    const macs = distinct(
      "macs",
      results.filter((f) => f.sizes === "open"),
    );
    const { published } = network;
    if (
      published.parameters !== undefined &&
      (published.parameters !== all || !macs.every((m) => round(m) === published.gmacs))
    )
      why.add(otherwise[network.name] ?? "**not explained**");
    return [
      network.name,
      distinct("parameters", results).map(count).join(" / "),
      count(all),
      published.parameters === undefined ? "" : count(published.parameters),
      `${network.counted}×${network.counted}`,
      macs.map(count).join(" / "),
      network.fvcore.open === null ? "" : count(network.fvcore.open),
      published.gmacs === undefined ? "" : `${published.gmacs} G`,
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
