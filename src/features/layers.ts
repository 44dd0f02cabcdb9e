import { distance } from "fastest-levenshtein";
import { isFloat } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { globs } from "../base/glob.js";
import type { Graph, Node } from "../graph/ir.js";
import { consumers } from "../graph/walk.js";
import { cruNames } from "../nn/cru.js";

/** A place in a graph that makes feature maps. */
export interface FeatureLayer {
  readonly name: string;
  /** `Conv`, `SCConv`, or another operator. */
  readonly op: string;
  /** The value that is looked at. */
  readonly value: string;
  /** Operators between the layer itself and that value: its normalisation and activation. */
  readonly through: readonly string[];
}

/** What belongs to the layer before it: maps are looked at as the next layer gets them. */
const behind = new Set([
  ...["BatchNormalization", "Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish"],
  ...["Tanh", "Elu", "Selu", "Softplus", "Gelu", "Mish"],
]);

export interface LayerOptions {
  /** Globs over names, separated by commas; default: every convolution and SCConv unit. */
  readonly layers?: string | undefined;
  /** Of a convolution its own output, without the normalisation and activation behind it. */
  readonly raw?: boolean | undefined;
  /** The file, for messages. */
  readonly where: string;
}

/**
 * The layers to look at, in graph order: convolutions and SCConv units, or those whose names match, other nodes included.
 * Throws `bad-input` where nothing has such a name, with the nearest.
 */
export function featureLayers(graph: Graph, { layers, raw = false, where }: LayerOptions): FeatureLayer[] {
  const readers = consumers(graph);
  const scopes = unitScopes(graph);
  const scopeOf = (node: Node) => scopes.find((s) => node.name.startsWith(`${s}.`));
  const ends = new Set(graph.outputs.map((o) => o.name));
  const followed = (name: string, op: string, value: string): FeatureLayer => {
    const through: string[] = [];
    let at = value;
    for (;;) {
      const [reader, ...more] = readers.get(at) ?? [];
      const next = !reader || more.length > 0 || ends.has(at) || raw ? undefined : reader;
      if (next?.domain !== "" || !behind.has(next.op) || next.inputs[0] !== at) break;
      through.push(next.op);
      at = next.outputs[0]!;
    }
    return { name, op, value: at, through };
  };

  const main: FeatureLayer[] = [];
  const others: FeatureLayer[] = [];
  const units = new Set<string>();
  for (const node of graph.nodes) {
    const value = node.outputs[0];
    if (!value) continue;
    const scope = scopeOf(node);
    if (scope !== undefined) {
      const read = node.outputs.find(
        (v) => ends.has(v) || (readers.get(v) ?? []).some((r) => scopeOf(r) !== scope),
      );
      if (read !== undefined && !units.has(scope) && mayBeMaps(graph, read)) {
        units.add(scope);
        main.push(followed(scope, "SCConv", read));
      }
    }
    const name = node.name || value;
    if (node.op === "Conv" && node.domain === "" && scope === undefined)
      main.push(followed(name, "Conv", value));
    else if (mayBeMaps(graph, value)) others.push({ name, op: node.op, value, through: [] });
  }
  if (layers === undefined) {
    if (main.length > 0) return main;
    throw new ScconvError("bad-input", "the model has no convolution", { where, hint: "give --layer NAME" });
  }
  return matching([...main, ...others], layers, where);
}

function matching(all: readonly FeatureLayer[], patterns: string, where: string): FeatureLayer[] {
  // A name is itself, whatever signs it holds.
  const exact = all.find((l) => l.name === patterns);
  if (exact) return [exact];
  const chosen = new Set<FeatureLayer>();
  for (const glob of globs(patterns)) {
    const found = all.filter((l) => glob.test(l.name));
    if (found.length === 0) throw unknownLayer(glob.pattern, all, where);
    for (const l of found) chosen.add(l);
  }
  return all.filter((l) => chosen.has(l));
}

function unknownLayer(pattern: string, all: readonly FeatureLayer[], where: string): ScconvError {
  const near = all
    .map((l) => ({ name: l.name, d: distance(l.name, pattern) }))
    .sort((a, b) => a.d - b.d)
    .slice(0, 3)
    .map((n) => n.name);
  return new ScconvError("bad-input", `no layer with feature maps is called "${pattern}"`, {
    where,
    hint: near.length > 0 ? `the nearest: ${near.join(", ")}` : undefined,
  });
}

/** Floats of rank 4; what is not known may be, and is looked at when it has been computed. */
function mayBeMaps(graph: Graph, value: string): boolean {
  const type = graph.types.get(value) ?? graph.outputs.find((o) => o.name === value)?.type;
  return type !== undefined && isFloat(type.dtype) && (type.shape === undefined || type.shape.length === 4);
}

/**
 * Scopes of SCConv units, by the names of their parameters; in a folded file, where these are gone, by those of their
 * convolutions.
 */
export function unitScopes(graph: Graph): readonly string[] {
  const scopes = new Set<string>();
  for (const suffix of [".sru.gn.weight", `.${cruNames.gwc}`]) {
    for (const name of graph.initializers.keys())
      if (name.endsWith(suffix)) scopes.add(name.slice(0, -suffix.length));
  }
  const squeezed = new Set<string>();
  for (const { op, name } of graph.nodes) {
    const [, scope, part] = /^(.*)\.(squeeze_up|gwc)(?:_\w+)?$/.exec(op === "Conv" ? name : "") ?? [];
    if (scope === undefined) continue;
    if (part === "squeeze_up") squeezed.add(scope);
    else if (squeezed.has(scope)) scopes.add(scope);
  }
  return [...scopes];
}

/**
 * For layers of one graph those of another, by name: the one of the same name, else the one that makes a value of the same
 * name, else, where both graphs have equally many convolutions and units, the one in the same place.
 */
export function counterparts(
  { graph, layers }: { graph: Graph; layers: readonly FeatureLayer[] },
  other: Graph,
  { raw, where }: Omit<LayerOptions, "layers">,
): Map<string, FeatureLayer> {
  const options = { raw, where };
  const [mine, theirs] = [
    featureLayers(graph, { ...options, layers: "*" }),
    featureLayers(other, { ...options, layers: "*" }),
  ];
  const [places, otherPlaces] = [placesOf(graph, mine), placesOf(other, theirs)];
  const found = new Map<string, FeatureLayer>();
  for (const layer of layers) {
    const same =
      theirs.find((l) => l.name === layer.name) ??
      theirs.find((l) => l.value === layer.value) ??
      (places.length === otherPlaces.length
        ? otherPlaces[places.findIndex((l) => l.name === layer.name)]
        : undefined);
    if (same) found.set(layer.name, same);
  }
  return found;
}

/** Convolutions and units, without the convolutions that units are made of. */
function placesOf(graph: Graph, layers: readonly FeatureLayer[]): FeatureLayer[] {
  const scopes = unitScopes(graph);
  return layers.filter(
    ({ op, name }) => op === "SCConv" || (op === "Conv" && !scopes.some((s) => name.startsWith(`${s}.`))),
  );
}
