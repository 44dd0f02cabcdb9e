// The section of docs/performance.md that bench/slim.mjs measured.
import { median } from "./peers/peer.mjs";

export function slim(doc) {
  const { builds, rounds } = doc;
  const of = (build, key) => rounds.map((r) => key(r[build]));
  const all = (build, key, digits) =>
    of(build, key)
      .map((v) => v.toFixed(digits))
      .join(", ");
  const lines = builds.map(({ name, commit, date }) =>
    [
      `| ${name}, \`${commit}\` of ${date}`,
      all(name, (r) => r.seconds, 0),
      all(name, (r) => r.top1[1], 2),
      all(name, (r) => r.ratio, 2),
      `${(rounds[0][name].macs[1] / 1e6).toFixed(1)} M |`,
    ].join(" | "),
  );
  const faster = median(rounds.map((r) => r.before.seconds / r.now.seconds));
  return [
    "## `scconv slim`, before and after the work on performance",
    "",
    `\`scconv slim resnet20.onnx --data cifar10 ${doc.flags}\`, from the start of the process to its end, by two builds in turn, in`,
    `${rounds.length} rounds: a small budget, which shows the time and not what \`slim\` can reach. The original has ${rounds[0].now.top1[0].toFixed(2)} % on the same test`,
    "images. “Before” is the last commit before inference and training were worked on; what changed the product last is named.",
    `Seconds before over now: ${faster.toFixed(2)}. Time over the original's is that of \`slim\`'s own report (batch 1); one seed.`,
    "",
    "| build | seconds | top-1 | time over the original's | multiply-adds |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...lines,
    "",
    `${doc.machine.cpu}, ${doc.machine.cores} cores (${doc.machine.instructions.join(" ")}), ${doc.machine.os}; node ${doc.machine.node}; ${doc.date.slice(0, 10)}.`,
    "",
  ];
}
