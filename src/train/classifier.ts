import type { Dim } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { fedInputs } from "../graph/fed-inputs.js";
import type { Graph } from "../graph/ir.js";
import { producers } from "../graph/walk.js";
import { freeBatch } from "../ops/free-batch.js";
import { inferShapes } from "../ops/infer.js";

/** What a model takes images by and gives class scores by. */
export interface Classifier {
  readonly input: string;
  readonly channels: 1 | 3 | undefined;
  readonly height: number | undefined;
  readonly width: number | undefined;
  readonly fixedBatch: number | undefined;
  /** Logits (N, K): what a last Softmax reads, so that the loss is that of the logits. */
  readonly output: string;
  readonly classes: number | undefined;
  /** Whether `output` is the file's own. */
  readonly whole: boolean;
  /** Ends at `output`. */
  readonly graph: Graph;
}

/** Throws `bad-input` where the model is no classifier of images. */
export function classifierOf(graph: Graph, where: string): Classifier {
  const inferred = inferShapes(graph);
  const inputs = fedInputs(inferred);
  const [input] = inputs;
  const shape = input?.type?.shape;
  if (inputs.length !== 1 || shape?.length !== 4 || input?.type?.dtype !== "float32") {
    throw new ScconvError("bad-input", "not a classifier of images", {
      where,
      need: "one float32 input (N, C, H, W)",
      got: inputs
        .map((i) => `"${i.name}" ${i.type?.dtype ?? ""}[${i.type?.shape?.join("×") ?? "?"}]`)
        .join(", "),
    });
  }
  const [batch, channels, height, width] = shape.map(numberOf);
  if (channels !== undefined && channels !== 1 && channels !== 3) {
    throw new ScconvError("bad-input", "not a classifier of images", {
      where: `${where}, input "${input.name}"`,
      need: "1 or 3 channels",
      got: `${channels}`,
    });
  }
  const logits = logitsOf(inferred, where);
  return {
    input: input.name,
    channels,
    height,
    width,
    fixedBatch: batch,
    output: logits.name,
    classes: logits.classes,
    whole: logits.name === graph.outputs[0]!.name,
    graph: { ...graph, outputs: [{ name: logits.name, type: logits.type }] },
  };
}

export interface OpenBatch {
  /** With its batch left open. */
  readonly graph: Graph;
  readonly classifier: Classifier;
  /** The batch that the file itself takes, where it is fixed there. */
  readonly fixedBatch: number | undefined;
}

/** A classifier as training needs it. Throws `bad-input`, and `unsupported` where its batch is worked into the graph. */
export function openBatch(asRead: Graph, where: string): OpenBatch {
  const { fixedBatch } = classifierOf(asRead, where);
  const graph = freeBatch(asRead);
  if (graph) return { graph, classifier: classifierOf(graph, where), fixedBatch };
  throw new ScconvError("unsupported", "training needs a batch that is not fixed in the file", {
    where,
    got: `batch ${fixedBatch}, and a graph that depends on it`,
    hint: "export it with a dynamic batch axis",
  });
}

const numberOf = (d: Dim | undefined): number | undefined => (typeof d === "number" ? d : undefined);

function logitsOf(graph: Graph, where: string) {
  const [output] = graph.outputs;
  const type = output?.type;
  if (!output || !type || (type.shape && type.shape.length !== 2) || type.dtype !== "float32") {
    throw new ScconvError("bad-input", "not a classifier of images", {
      where,
      need: "a first output of float32 (N, classes)",
      got: output && `"${output.name}" ${type?.dtype ?? ""}[${type?.shape?.join("×") ?? "?"}]`,
    });
  }
  const last = producers(graph).get(output.name);
  const name = last?.op === "Softmax" || last?.op === "LogSoftmax" ? last.inputs[0]! : output.name;
  return { name, type, classes: numberOf(type.shape?.[1]) };
}
