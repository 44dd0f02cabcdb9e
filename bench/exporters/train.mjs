// Loss and gradients of all weights of an imported graph, against PyTorch's autograd.

import { inline } from "../../dist/graph/inline.js";
import { jointOpsets } from "../../dist/graph/opsets.js";
import { prune } from "../../dist/graph/walk.js";
import { differentiate, graphBuilder, lower, Random, Tensor, trainableParts } from "../../dist/index.js";
import { relative } from "./files.mjs";
import { findWeights, wantedGradient } from "./weights.mjs";

const TOLERANCE = 1e-3;
const MOST_MOVES = 8;

/** `graph` has numbers for all sizes. The loss is the cross-entropy of the first output with the reference's labels. */
export async function checkTraining(engine, { graph, network, reference, figures }) {
  const { found, lacking } = findWeights(graph, network, reference);
  if (lacking.length > 0)
    return `failed: ${lacking.length} parameters are not in the file: ${lacking.slice(0, 5)}`;
  const known = trainableParts(graph).parameters;
  const untrained = [...found.keys()].filter((name) => !known.has(name));
  if (untrained.length > 0)
    return `failed: training would leave ${untrained.length} weights as they are: ${untrained.slice(0, 5)}`;
  const [images, labels] = [reference.get("images"), reference.get("labels")];
  const b = graphBuilder({ name: "step", opsets: jointOpsets([graph]) });
  const input = graph.inputs.find((i) => !graph.initializers.has(i.name));
  const values = inline(b, graph, {
    prefix: "network.",
    substitute: new Map([[input.name, b.input("images", "float32", images.dims)]]),
  });
  const target = b.input("labels", "int64", labels.dims);
  const loss = b.add("SoftmaxCrossEntropyLoss", [values.get(graph.outputs[0].name), target]);
  const names = [...found.keys()];
  const gradients = differentiate(
    b,
    loss,
    names.map((name) => values.get(name)),
  );
  const missing = names.filter((_, i) => !gradients[i]);
  if (missing.length > 0) return `failed: no gradient reaches ${missing.slice(0, 5)}`;
  b.output(loss, "loss");
  for (const [i, gradient] of gradients.entries()) b.output(gradient, `gradient.${i}`);
  const wanted = names.map((name) => wantedGradient(found.get(name), reference));
  const whole = Math.sqrt(wanted.reduce((sum, w) => sum + w.reduce((s, v) => s + v * v, 0), 0));
  const session = await engine.open(prune(lower(b.build())));
  try {
    for (figures.moved = 0; ; figures.moved++) {
      const feeds = new Map([
        ["images", moved(images, figures.moved)],
        ["labels", labels],
      ]);
      const results = await session.run(feeds);
      figures.loss = relative(results.get("loss").numbers(), reference.get("loss").numbers());
      // A gradient that is nothing beside the whole is held to the whole.
      const errors = names.map((_, i) =>
        relative(results.get(`gradient.${i}`).numbers(), wanted[i], 1e-6 * whole),
      );
      figures.gradient = Math.max(...errors);
      const worst = names[errors.indexOf(figures.gradient)];
      if (figures.loss <= TOLERANCE && figures.gradient <= TOLERANCE) return undefined;
      if (figures.moved === MOST_MOVES) {
        return `failed: the loss differs by ${figures.loss.toExponential(1)}, the gradient of ${worst} (${found.get(worst)?.form.name}) by ${figures.gradient.toExponential(1)} of its norm`;
      }
    }
  } finally {
    await session.release();
  }
}

/**
 * A ReLU that stands nearer to its corner than float32 rounds is on the other side here than in float64, and all gradients before
 * it differ by its share. Images that differ by 1e-6 of themselves have the same gradients, but for such a corner.
 */
function moved(images, times) {
  if (times === 0) return images;
  const random = new Random(17, times);
  const values = Float32Array.from(images.numbers(), (v) => v * (1 + 1e-6 * random.normal()));
  return Tensor.from("float32", images.dims, values);
}
