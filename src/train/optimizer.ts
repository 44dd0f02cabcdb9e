import type { Value } from "../graph/builder.js";
import { add, div, mul, sqrt, sub } from "../ops/emit.js";

/** An update rule as a part of the step graph, on all parameters as one vector. */
export interface Optimizer {
  readonly name: string;
  /** State vectors, as long as the parameters, that start at zero. */
  readonly slots: readonly string[];
  readonly weightDecay: number;
  /** Whether it is for norms and biases, too. */
  readonly decayNorms: boolean;
  /** Scalars that change with the step (from 1), beside the learning rate. */
  readonly scalars: Readonly<Record<string, (step: number) => number>>;
  update(u: Update): { readonly parameters: Value; readonly slots: readonly Value[] };
}

export interface Update {
  readonly parameters: Value;
  readonly gradient: Value;
  readonly slots: readonly Value[];
  /** Scalar, or one number for each parameter element. */
  readonly learningRate: Value;
  /** Weight decay for each element (zero for norms and biases), or undefined for none at all. */
  readonly decay: Value | undefined;
  readonly scalars: Readonly<Record<string, Value>>;
}

export interface SgdOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weightDecay?: number;
  readonly decayNorms?: boolean;
}

/** SGD with (Nesterov) momentum as PyTorch writes it: g += λw, v = μv + g, w −= η(g + μv). */
export function sgd({
  momentum = 0.9,
  nesterov = true,
  weightDecay = 5e-4,
  decayNorms = false,
}: SgdOptions = {}): Optimizer {
  return {
    name: "sgd",
    slots: ["momentum"],
    weightDecay,
    decayNorms,
    scalars: {},
    update: ({ parameters, gradient, slots: [velocity], learningRate, decay }) => {
      const g = decay ? add(gradient, mul(parameters, decay)) : gradient;
      const v = add(mul(velocity!, momentum), g);
      const step = nesterov ? add(g, mul(v, momentum)) : v;
      return { parameters: sub(parameters, mul(step, learningRate)), slots: [v] };
    },
  };
}

export interface AdamWOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  readonly weightDecay?: number;
  readonly decayNorms?: boolean;
}

/** AdamW (Loshchilov & Hutter 2019): decay is apart from the gradient. */
export function adamw({
  beta1 = 0.9,
  beta2 = 0.999,
  eps = 1e-8,
  weightDecay = 0.01,
  decayNorms = false,
}: AdamWOptions = {}): Optimizer {
  return {
    name: "adamw",
    slots: ["mean", "square"],
    weightDecay,
    decayNorms,
    scalars: {
      mean_correction: (step) => 1 / (1 - beta1 ** step),
      square_correction: (step) => 1 / (1 - beta2 ** step),
    },
    update: ({ parameters, gradient, slots: [mean, square], learningRate, decay, scalars }) => {
      const m = add(mul(mean!, beta1), mul(gradient, 1 - beta1));
      const v = add(mul(square!, beta2), mul(mul(gradient, gradient), 1 - beta2));
      const deviation = add(sqrt(mul(v, scalars.square_correction!)), eps);
      const direction = div(mul(m, scalars.mean_correction!), deviation);
      const step = decay ? add(direction, mul(parameters, decay)) : direction;
      return { parameters: sub(parameters, mul(step, learningRate)), slots: [m, v] };
    },
  };
}
