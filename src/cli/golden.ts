import { ScconvError } from "../base/errors.js";
import type { Tensor } from "../base/tensor.js";
import { differentiate } from "../grad/differentiate.js";
import type { Value } from "../graph/builder.js";
import { type CruParameters, cru, cruNames } from "../nn/cru.js";
import { type Order, type ScconvSettings, scconv } from "../nn/scconv.js";
import { type Gate, type Scope, sru } from "../nn/sru.js";
import { graphBuilder } from "../ops/index.js";
import { lower } from "../ops/lower.js";
import { decodeSafetensors } from "../runtime/safetensors.js";
import type { Engine } from "../runtime/session.js";

/** What a golden vector says against what our graph computes on the engine. */
export interface GoldenResult {
  readonly file: string;
  /** ‖ours − theirs‖ / ‖theirs‖; absolute where theirs is zero. */
  readonly forward: number;
  readonly gradients: Readonly<Record<string, number>>;
  readonly pass: boolean;
}

const FORWARD = 1e-5;
const BACKWARD = 1e-4;
const ZERO = 1e-6;

interface Config extends ScconvSettings {
  readonly op: "sru" | "cru" | "scconv";
}

/** Runs one golden file (SPEC.md, "Golden vectors"), forward and backward. */
export async function checkGolden(engine: Engine, file: string, bytes: Uint8Array): Promise<GoldenResult> {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const config = configOf(metadata.get("config"), file);
  const tensor = (name: string): Tensor => {
    const t = tensors.get(name);
    if (!t) throw new ScconvError("bad-input", `the golden vector lacks tensor "${name}"`, { where: file });
    return t;
  };

  const b = graphBuilder();
  const feeds = new Map<string, Tensor>();
  const input = (name: string): Value => {
    const t = tensor(name);
    feeds.set(name, t);
    return b.input(name, t.dtype, t.dims);
  };
  const parameters = [...tensors.keys()].filter(
    (n) => n.startsWith("sru.") || n.startsWith("cru.") || n.startsWith("conv."),
  );
  const x = input("x");
  const values = new Map(parameters.map((name) => [name, input(name)]));
  const y = build(x, values, config);
  const dy = input("dy");
  const wrt = [x, ...values.values()];
  const gradients = differentiate(b, undefined, wrt, { seeds: new Map([[y, dy]]) });
  b.output(y, "y");
  gradients.forEach((g, i) => {
    if (g) b.output(g, `grad.${wrt[i]!.name}`);
  });

  const session = await engine.open(lower(b.build()));
  const results = await session.run(feeds);
  await session.release();
  const forward = relativeError(results.get("y")!, tensor("y"));
  const errors: Record<string, number> = {};
  let pass = forward <= FORWARD;
  for (const { name } of wrt) {
    const expected = tensor(`grad.${name}`);
    // A parameter that the output does not depend on has no gradient here, and zero there.
    const error = relativeError(results.get(`grad.${name}`), expected);
    errors[name] = error;
    pass &&= error <= (norm(expected.numbers()) === 0 ? ZERO : BACKWARD);
  }
  return { file, forward, gradients: errors, pass };
}

function configOf(text: string | undefined, where: string): Config {
  if (!text) throw new ScconvError("bad-input", "not a golden vector: no config in its metadata", { where });
  const c = JSON.parse(text);
  return {
    op: c.op,
    groups: c.groups,
    eps: c.eps,
    threshold: c.threshold,
    gate: c.gate as Gate,
    scope: c.scope as Scope,
    alpha: c.alpha,
    squeeze: c.squeeze,
    convGroups: c.conv_groups,
    kernel: c.kernel,
    dilation: c.dilation,
    stride: c.stride,
    order: c.order as Order,
    fuse: c.fuse,
    // The vectors bring their own β.
    gateBias: 0,
  };
}

function build(x: Value, values: ReadonlyMap<string, Value>, config: Config): Value {
  const gate = () => ({ weight: values.get("sru.gn.weight")!, bias: values.get("sru.gn.bias")! });
  const channel = () =>
    Object.fromEntries(
      Object.entries(cruNames).map(([key, name]) => [key, values.get(name)]),
    ) as unknown as CruParameters;
  if (config.op === "sru") return sru(x, gate(), config);
  if (config.op === "cru") return cru(x, channel(), config);
  return scconv(
    x,
    {
      sru: values.has("sru.gn.weight") ? gate() : undefined,
      cru: values.has(cruNames.gwc) ? channel() : undefined,
      conv: values.get("conv.weight"),
    },
    config,
  );
}

function relativeError(ours: Tensor | undefined, theirs: Tensor): number {
  const expected = theirs.numbers();
  const got = ours?.numbers() ?? new Float64Array(expected.length);
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference += (got[i]! - expected[i]!) ** 2;
  return Math.sqrt(difference) / (norm(expected) || 1);
}

function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}
