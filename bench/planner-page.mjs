// The section of docs/performance.md that bench/planner.mjs measured.
import { processorOf } from "./processor-of.mjs";

const titles = { resnet20: "ResNet-20, 32×32", resnet50: "ResNet-50, 224×224" };

export function planner({ results, machine, date }) {
  const rows = results.flatMap(({ network, threads, batch, runs }) => {
    const head = `| ${titles[network]} | ${threads} thread${threads > 1 ? "s" : ""}, batch ${batch} |`;
    const taken = runs.filter((r) => !r.refused);
    const all = (key) => taken.map((r) => key(r)).join(", ");
    const seconds = runs.map((r) => r.seconds.toFixed(0)).join(", ");
    const refused = runs.length - taken.length;
    if (taken.length === 0) return [`${head} nothing | | | ${seconds} |`];
    const note = refused > 0 ? `, nothing in ${refused} of ${runs.length} runs` : "";
    const counts = all((r) => `${r.swapped} of ${r.of}`);
    const [predicted, measured] = [all((r) => r.predicted.toFixed(3)), all((r) => r.measured.toFixed(3))];
    return [`${head} ${counts}${note} | ${predicted} | ${measured} | ${seconds} |`];
  });
  return [
    `## The planner: \`scconv swap --layers auto\`${processorOf({ machine }).title}`,
    "",
    "For each convolution the form of the unit that pays most there, by the clock of this machine (α of 1/2 and 1/4, gate by element or by channel),",
    "or none. Time over the standard network's: predicted by the sum of what layers save, and of the whole network, measured in the end. Each",
    "figure is of one run of the command, which times both networks in turn. What a form costs in accuracy is not asked here: `slim --max-drop` does.",
    "",
    "| network | | convolutions swapped | predicted | measured | seconds |",
    "| --- | --- | --- | --- | --- | ---: |",
    ...rows,
    "",
    `${machine.cpu}, ${machine.cores} cores (${machine.instructions.join(" ")}), ${machine.os}; node ${machine.node}; ${date.slice(0, 10)}.`,
    "",
  ];
}
