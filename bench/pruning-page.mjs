// The section of docs/performance.md that bench/pruning.mjs measured.
const millions = (n) => `${(n / 1e6).toFixed(1)} M`;
const thousands = (n) => `${Math.round(n / 1e3)} k`;

/** One line of the table; `i` is its place in the runs of `scconv bench`. */
function row(name, { parameters, macs, before, top1, i }, latency) {
  const first = before === undefined ? "" : before.toFixed(1);
  const times = latency.map(({ ratios }) => ratios[i].toFixed(2));
  const cells = [name, thousands(parameters), millions(macs), first, top1.toFixed(2), ...times];
  return `| ${cells.join(" | ")} |`;
}

export function pruning(doc) {
  const [{ theirs, ours, top1, latency }] = doc.results;
  const rows = doc.results.flatMap(({ layers, ours, theirs, top1, latency }) => [
    row(
      `SCConv, \`slim --layers ${layers}\``,
      { parameters: ours.parameters[1], macs: ours.macs[1], before: ours.before, top1: top1.ours, i: 1 },
      latency,
    ),
    row(
      `pruned, ${theirs.importance} importance, ${theirs.spread}`,
      { ...theirs, top1: top1.theirs, i: 2 },
      latency,
    ),
  ]);
  const original = { parameters: ours.parameters[0], macs: ours.macs[0], top1: top1.original, i: 0 };
  const software = Object.entries(theirs.versions).map((v) => v.join(" "));
  const { runtime, threads, runs, models } = latency[0];
  const { cpu, cores, instructions, os, node } = doc.machine;
  return [
    "## SCConv beside channel pruning, ResNet-20, 32×32",
    "",
    "A ResNet-20 that was trained on CIFAR-10, by `scconv slim` and by Torch-Pruning (DepGraph, Fang et al., CVPR 2023) at the",
    `multiply-adds that \`slim\` came to: the same weights to start from, the same ${theirs.images.toLocaleString("en")} training images and ${doc.epochs} epochs, the same`,
    "distillation from the original (AdamW, 0.002 down to 0 by half a cosine, T = 4, hints behind the blocks' additions, the epoch kept that",
    "is best on the test images), one seed. Top-1 by `scconv eval` for all; time over the original's by `scconv bench`, in turn.",
    "What differs:",
    "",
    "- Before that, `slim` fits its new units to what they replace: 400 steps of 64 images more. A pruned network keeps weights, and had no such",
    "  thing. “Before” is what either starts the epochs from.",
    "- Pruning takes the inner channels of blocks only: shortcuts that pad (option A) tie the others. Of four ways (magnitude or Taylor",
    "  importance, the same share in each layer or over all) the one was taken that kept most on 1,000 training images.",
    "- `slim` has hints behind every unit, pruning behind every block. The order of images and their crops are not the same.",
    "",
    "| by | parameters | multiply-adds | top-1 before | top-1 | batch 1 | batch 8 | batch 128 |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    row("the original", original, latency),
    ...rows,
    "",
    `${cpu}, ${cores} cores (${instructions.join(" ")}), ${os}; ${runtime}, ${threads} threads, node ${node}, ${software.join(", ")}; times are medians of ${runs} rounds (batch 1 of the original: ${models[0].medianMs.toFixed(2)} ms), ${doc.date.slice(0, 10)}.`,
    "",
  ];
}
