import { ScconvError } from "../base/errors.js";
import { Random } from "../base/random.js";
import type { Value } from "../graph/builder.js";
import { float, type Graph, type Node } from "../graph/ir.js";
import { consumers } from "../graph/walk.js";
import { filled, zeroWeights } from "../nn/init.js";
import { type ScconvSettings, scconv, scconvDefaults, scconvParameters } from "../nn/scconv.js";
import { rebuild } from "../ops/rebuild.js";
import { type Candidate, convName, matchConvolutions } from "./match.js";
import { selectLayers } from "./select.js";
import type { UnitRecord } from "./unit.js";

export interface SwapOptions {
  /** `all`, `second` or globs; or the layers by name, each with settings of its own. */
  readonly layers: string | ReadonlyMap<string, Partial<ScconvSettings>>;
  readonly settings?: Partial<ScconvSettings>;
  readonly seed?: number;
  /** `zeros`: no weights are drawn, for graphs that are only counted. */
  readonly init?: "random" | "zeros";
}

export interface Plan {
  readonly swapped: readonly Candidate[];
  /** What stays, and why. */
  readonly kept: readonly { readonly name: string; readonly reason: string }[];
}

export interface Swapped extends Plan {
  readonly graph: Graph;
  readonly units: readonly UnitRecord[];
}

/** Which convolutions a swap would replace. Throws when there is none. `graph` has its types inferred. */
export function planSwap(graph: Graph, { layers, settings }: SwapOptions): Plan {
  const named = typeof layers === "string" ? undefined : layers;
  const candidates = matchConvolutions(graph, (name) => ({
    ...{ ...scconvDefaults, ...settings },
    ...named?.get(name),
  }));
  const chosen =
    typeof layers === "string"
      ? selectLayers(graph, candidates, layers)
      : new Set(candidates.filter((c) => layers.has(c.name)));
  const swapped = candidates.filter((c) => chosen.has(c) && c.swappable);
  const kept = candidates
    .filter((c) => !swapped.includes(c))
    .map((c) => ({
      name: c.name,
      reason: c.reason ?? (named ? "it was not chosen" : `not named by --layers ${layers}`),
    }));
  if (swapped.length === 0) {
    const reasons = new Map<string, number>();
    for (const { reason } of kept) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    throw new ScconvError("bad-input", "no convolution of this model can be swapped", {
      got: [...reasons].map(([reason, n]) => `${n}× ${reason}`).join("; ") || "a model without convolutions",
      hint: "scconv inspect lists them",
    });
  }
  return { swapped, kept };
}

/** Replaces convolutions by SCConv units with fresh weights; everything else, names included, stays as it is. */
export function swap(graph: Graph, options: SwapOptions): Swapped {
  const { seed = 0, init = "random" } = options;
  const plan = planSwap(graph, options);
  const readers = consumers(graph);
  const byNode = new Map(plan.swapped.map((c) => [c.node, c]));
  const pending: Pending[] = [];
  const taken = new Set<string>();
  const { graph: swapped, renamed } = rebuild(graph, (node, inputs, b) => {
    const candidate = byNode.get(node);
    if (!candidate) return undefined;
    const scope = scopeOf(node, taken);
    const x = inputs[0]!;
    const [, out] = candidate.channels!;
    const random = init === "zeros" ? zeroWeights : new Random(seed, 2, pending.length);
    return b.scope(scope, () => {
      const settings = candidate.settings!;
      const y = scconv(x, scconvParameters(x, out, settings, random), settings);
      const fileNorm = normBehind(node, readers);
      const output = fileNorm ? y : ownNorm(y, out);
      pending.push({ candidate, input: x.name, output: output.name, scope, fileNorm });
      return [output];
    });
  });
  return { ...plan, graph: swapped, units: pending.map((p) => recordOf(p, renamed)) };
}

interface Pending {
  readonly candidate: Candidate;
  readonly input: string;
  readonly output: string;
  readonly scope: string;
  /** The file's batch norm behind the convolution. */
  readonly fileNorm: Node | undefined;
}

function recordOf(
  { candidate, input, output, scope, fileNorm }: Pending,
  renamed: ReadonlyMap<string, string>,
): UnitRecord {
  const { node } = candidate;
  const targetOutput = fileNorm?.outputs[0] ?? node.outputs[0]!;
  return {
    name: scope,
    node: convName(node),
    target: { input: node.inputs[0]!, output: targetOutput },
    input,
    output: fileNorm ? renamed.get(targetOutput)! : output,
    channels: candidate.channels!,
    settings: candidate.settings!,
    norm: fileNorm
      ? { own: false, parameters: fileNorm.inputs.slice(1, 5) }
      : {
          own: true,
          parameters: ["weight", "bias", "running_mean", "running_var"].map((p) => `${scope}.bn.${p}`),
        },
    adapted: candidate.adapted,
  };
}

/** `layer1.0.conv2` from the weight `layer1.0.conv2.weight`, else the node's name; made unique. */
function scopeOf(node: Node, taken: Set<string>): string {
  const weight = node.inputs[1]!;
  const base = weight.endsWith(".weight") ? weight.slice(0, -".weight".length) : convName(node);
  let name = base;
  for (let i = 1; taken.has(name); i++) name = `${base}_${i}`;
  taken.add(name);
  return name;
}

/** The batch norm that alone reads the convolution's output. */
function normBehind(node: Node, readers: ReadonlyMap<string, Node[]>): Node | undefined {
  const [next, ...more] = readers.get(node.outputs[0]!) ?? [];
  const isNorm = more.length === 0 && next?.op === "BatchNormalization" && next.inputs[0] === node.outputs[0];
  return isNorm ? next : undefined;
}

function ownNorm(x: Value, channels: number): Value {
  const b = x.builder;
  return b.scope("bn", () =>
    b.add(
      "BatchNormalization",
      [
        x,
        b.parameter("weight", filled([channels], 1)),
        b.parameter("bias", filled([channels], 0)),
        b.parameter("running_mean", filled([channels], 0)),
        b.parameter("running_var", filled([channels], 1)),
      ],
      { epsilon: float(1e-5), momentum: float(0.9) },
      { name: "bn" },
    ),
  );
}
