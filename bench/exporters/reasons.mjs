// Why a step of a file did not pass. Every reason must still be needed by a file of a whole run.

/** [networks, exporters and sets, step, message, why] */
const rules = [
  [
    /^fasterrcnn/,
    /./,
    ["inspect"],
    /^failed: multiply-adds stay open: [^%]*$/,
    "its second stage runs once for each box that is left, so multiply-adds stay an expression in their number",
  ],
  [
    /^retinanet/,
    /^dynamo-20$/,
    ["swap", "run"],
    /the engine could not run the model.*node_Reshape_\d+_new_reshape/,
    "dynamo wrote sizes that it traced into a Reshape: the file, as PyTorch made it, runs at no other size than that",
  ],
];

const used = new Set();

export function reasonFor(name, file, step, message) {
  for (const rule of rules) {
    const [networks, files, steps, pattern, why] = rule;
    if (!networks.test(name) || !files.test(`${file.exporter}-${file.opset}`)) continue;
    if (!steps.includes(step) || !pattern.test(message)) continue;
    used.add(rule);
    return why;
  }
  return undefined;
}

export const unusedReasons = () => rules.filter((r) => !used.has(r)).map((r) => `${r[0]} ${r[3]}: ${r[4]}`);
