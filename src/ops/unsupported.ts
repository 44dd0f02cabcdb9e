import type { Graph } from "../graph/ir.js";
import { operatorKey } from "../graph/operator.js";
import { formerNames, operators } from "./index.js";

/** Standard operators without rules here, by what they are for. */
const kinds: Readonly<Record<string, string>> = {
  "recurrent layers": "RNN GRU LSTM",
  "layers of language models":
    "Attention LinearAttention RotaryEmbedding CausalConvWithState TensorScatter SwiGLU ai.onnx.preview.FlexAttention",
  "sequences and optionals are no tensors":
    "SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap " +
    "SplitToSequence ConcatFromSequence Optional OptionalGetElement OptionalHasElement",
  "text is no tensor of numbers": "StringConcat StringNormalizer StringSplit RegexFullMatch TfIdfVectorizer",
  "signal processing": "DFT STFT BlackmanWindow HammingWindow HannWindow MelWeightMatrix",
  "draws random numbers":
    "Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike",
  "images are decoded before the network": "ImageDecoder",
  "not found in convolutional networks": "Det Unique",
};

const reasons: ReadonlyMap<string, string> = new Map(
  Object.entries(kinds).flatMap(([why, names]) => names.split(" ").map((name) => [name, why] as const)),
);

const domainReason = (key: string): string =>
  key.startsWith("ai.onnx.ml.")
    ? "classical machine learning"
    : key.startsWith("ai.onnx.preview.training.")
      ? "training as ONNX writes it"
      : "an operator that is not known here";

/** Why there are no rules for an operator, by its key in the table; undefined where there are. */
export const whyUnsupported = (key: string): string | undefined =>
  operators.has(key) || formerNames.has(key) ? undefined : (reasons.get(key) ?? domainReason(key));

export interface UnsupportedOperator {
  readonly op: string;
  readonly count: number;
  readonly why: string;
}

/** All operators of a graph and its sub-graphs that have no rules: they can be carried and run, not reasoned about. */
export function unsupportedOperators(graph: Graph): readonly UnsupportedOperator[] {
  const counts = new Map<string, number>();
  const stack = [graph];
  for (let g = stack.pop(); g; g = stack.pop()) {
    for (const node of g.nodes) {
      const key = operatorKey(node.op, node.domain);
      if (whyUnsupported(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
      for (const a of node.attributes.values()) if (a.kind === "graph") stack.push(a.value);
    }
  }
  return [...counts].map(([op, count]) => ({ op, count, why: whyUnsupported(op)! }));
}
