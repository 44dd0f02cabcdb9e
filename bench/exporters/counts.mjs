// Parameters and multiply-adds beside fvcore's and torchvision's published figures.
import { letters, table } from "./page.mjs";

const sum = (record) => Object.values(record).reduce((a, b) => a + b, 0);
const count = (n) => n.toLocaleString("en-US");

/** What is published for each network holds at this size. */
const publishedAt = { inception_v3: 299 };

function differences(network, figures) {
  const why = [];
  const trained = sum(network.parameters);
  const aside = sum(network.unused);
  if (aside > 0) why.push("auxiliary heads, which inference does not run, are not in the file");
  if (figures.parameters < trained)
    why.push("of a folded batch norm the file has one bias, where PyTorch has a scale and a shift");
  if (figures.others > 0) why.push("constants of the network that nobody learns (anchors, say)");
  return why;
}

export function countsSection(networks, resultOf) {
  const marks = letters("d");
  const rows = networks.map((network) => {
    const results = network.files.filter((f) => !f.error).map((f) => resultOf(network, f)?.figures ?? {});
    const distinct = (key) => [...new Set(results.map((f) => f[key]).filter((v) => typeof v === "number"))];
    const all = sum(network.parameters) + sum(network.unused);
    const why = new Set(results.flatMap((f) => differences(network, f)));
    const macs = distinct("macs");
    const size = network.size;
    const published = network.published;
    const samePlace = network.task === "classifier" && size === (publishedAt[network.name] ?? 224);
    if (published.parameters !== undefined && published.parameters !== all)
      why.add("published with other settings (auxiliary heads)");
    if (network.fvcore !== null && macs.some((m) => m !== network.fvcore))
      why.add("multiply-adds that fvcore does not see");
    return [
      network.name,
      distinct("parameters").map(count).join(" / "),
      count(all),
      published.parameters === undefined ? "" : count(published.parameters),
      `${size}×${size}`,
      macs.map(count).join(" / "),
      network.fvcore === null ? "" : count(network.fvcore),
      samePlace && published.gmacs !== undefined ? `${published.gmacs} G` : "",
      [...why].map((w) => marks.of(w)).join(", "),
    ];
  });
  const head = [
    ...["network", "parameters in the file", "PyTorch's", "published", "image"],
    ...["multiply-adds", "fvcore's", "published", "differences"],
  ];
  return `## Parameters and multiply-adds

Of one image, by \`inspect\`, beside what PyTorch counts, what fvcore counts (convolutions and matrix products) and what torchvision publishes.
Several figures: exporters differ.

${table(head, rows)}

${marks.legend()}`;
}
