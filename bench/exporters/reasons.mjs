// Why a step of a file did not pass. Every reason must still be needed by a file of a whole run.

/** [networks, exporters and sets, step, message, why] */
const rules = [
  [
    /^retinanet/,
    /^dynamo-20$/,
    ["swap", "run"],
    /the engine could not run the model.*node_Reshape_\d+_new_reshape/,
    "the exporter's file: the anchors of RetinaNet's coarsest level, one pixel at the 128×128 that it was traced at, go through a Reshape to 1×1 (a size of one taken for fixed, as it seems). Python's onnxruntime, too, runs the file as PyTorch wrote it at 128×128 (300 of 300 detections) and refuses it at 128×160, in that node",
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
