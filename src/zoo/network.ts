import { ScconvError } from "../base/errors.js";
import { Random } from "../base/random.js";
import type { Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { type Initializer, zeroWeights } from "../nn/init.js";
import { batchNorm, type LinearSettings, linear, relu } from "../nn/layers.js";
import { type ConvUnit, type SlotShape, standardUnit } from "../nn/units.js";
import { add, globalAveragePool } from "../ops/emit.js";
import { graphBuilder } from "../ops/index.js";

/**
 * Which convolutions a unit takes the place of; the stem and the classifier stay.
 * `second`: one k×k convolution of each block, the only one or the one nearest the addition (the paper's choice); in
 * DenseNet every 3×3, in VGG all but the first. `all`: every k×k convolution. `every`: the 1×1 convolutions, too.
 * Depthwise convolutions (MobileNetV2) are k×k convolutions like others: a unit in their place is larger than they were.
 */
export type Where = "second" | "all" | "every";
export const wheres = ["second", "all", "every"] as const satisfies readonly Where[];

export interface ArchitectureOptions {
  readonly classes: number;
  /** Of the images. */
  readonly channels: number;
  /** Height and width of the images. */
  readonly size: number;
  readonly unit: ConvUnit;
  readonly where: Where;
  /** Multiplies the channels of all layers, rounded to whole ones: the standard rival of a slim unit is a slim network. */
  readonly width: number;
  readonly seed: number;
  /** `zeros`: no weights are drawn, for graphs that are only counted or that take theirs from a file. */
  readonly init: "random" | "zeros";
}

/** A convolution of a block: x (N, C, H, W) → (N, out, ⌈H/s⌉, ⌈W/s⌉), with a unit in its place where `where` says so. */
export type Slot = (x: Value, out: number, name: string, shape: SlotShape) => Value;

export interface Net {
  /** Convolution outside the blocks. */
  readonly stem: Slot;
  /** The only k×k convolution of a block, or the one nearest the addition. */
  readonly second: Slot;
  /** Any other k×k convolution of a block. */
  readonly first: Slot;
  /** A 1×1 convolution. */
  readonly pointwise: (x: Value, out: number, name: string, stride?: number) => Value;
  readonly scaled: (channels: number) => number;
  /** Linear layer: x (N, C) → (N, out). */
  readonly linear: (x: Value, out: number, name: string) => Value;
  readonly classes: number;
}

/** How the weights of a network start; default He-normal, and the classifier as PyTorch has it, its bias at zero. */
export interface Start {
  readonly conv?: Initializer;
  readonly linear?: LinearSettings;
}

/** A graph from images (N, channels, size, size), N symbolic, to logits (N, classes). */
export function network(
  name: string,
  given: Partial<ArchitectureOptions>,
  start: Start,
  body: (images: Value, net: Net) => Value,
): Graph {
  const { classes = 10, channels = 3, size = 32, unit = standardUnit, where = "second" } = given;
  const { width = 1, seed = 0, init = "random" } = given;
  const random = init === "zeros" ? zeroWeights : new Random(seed, 1);
  const convolution =
    (unit: ConvUnit): Slot =>
    (x, out, name, shape) =>
      unit(x, out, name, random, start.conv ? { init: start.conv, ...shape } : shape);
  const place = (w: Where) => convolution(wheres.indexOf(w) <= wheres.indexOf(where) ? unit : standardUnit);
  const every = place("every");
  const b = graphBuilder({ name });
  const images = b.input("input", "float32", ["N", channels, size, size]);
  const logits = body(images, {
    ...{ first: place("all"), second: place("second"), classes },
    stem: convolution(standardUnit),
    pointwise: (x, out, name, stride = 1) => every(x, out, name, { kernel: 1, stride }),
    scaled: (c) => Math.max(1, Math.round(c * width)),
    linear: (x, out, name) => linear(x, out, name, random, start.linear),
  });
  b.output(logits, "logits");
  return b.build();
}

export const normRelu = (x: Value, name: string): Value => relu(batchNorm(x, name));

/** Mean over all pixels: (N, C, H, W) → (N, C). */
export const pooled = (x: Value): Value => x.builder.add("Flatten", [globalAveragePool(x)]);

/** The addition of a residual block. A unit may return fewer channels than it is asked for (SlimConv): not here. */
export function residual(y: Value, shortcut: Value): Value {
  const [got, need] = [y, shortcut].map((v) => v.shape[1]);
  if (got !== need) {
    throw new ScconvError("bad-setting", "what the block makes does not fit the addition", {
      where: y.builder.scoped("add"),
      got: `${got} channels`,
      need: `the ${need} of the shortcut`,
      hint: "the unit returns fewer channels than it is asked for; it can stand only where another convolution follows",
    });
  }
  return add(y, shortcut);
}
