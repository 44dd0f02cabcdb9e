import { type Dim, formatShape, type Shape } from "../base/dims.js";
import type { Graph, Node } from "../graph/ir.js";
import { perImage } from "../ops/per-image.js";
import { type LayerTable, layerTable, type TableRow } from "./layer-table.js";
import { convName } from "./match.js";

/** A layer in one of two models; where a unit stands for a layer, all of the unit's nodes together. */
export interface LayerSide {
  readonly op: string;
  readonly nodes: number;
  readonly shape: Shape | undefined;
  readonly parameters: number;
  /** Undefined: not counted. */
  readonly macs: Dim | undefined;
}

export interface ComparedLayer {
  readonly name: string;
  /** What the file says, the weights alone, the layer itself, several nodes in the place of one, or no counterpart at all. */
  readonly kind: "same" | "weights" | "changed" | "replaced" | "first" | "second";
  readonly first?: LayerSide;
  readonly second?: LayerSide;
  /** What differs: `operator`, `shape`, `parameters`, or attributes by their names. */
  readonly differs: readonly string[];
  /** ‖w₂ − w₁‖ ÷ ‖w₁‖ over weights that have the same shape in both; undefined where there are none. */
  readonly weightChange: number | undefined;
}

export interface ComparedModels {
  /** In the order of the first, with what only the second has behind the layer that it follows there. */
  readonly layers: readonly ComparedLayer[];
  readonly first: LayerTable;
  readonly second: LayerTable;
}

interface Place {
  readonly row: TableRow;
  readonly node: Node;
}

/**
 * Layers of two models side by side, by name; where a name is used again, by its turn. Nodes that are only in the second and carry
 * the name of a layer that is only in the first as their scope (`conv2.cru.gwc` of `conv2`) stand in its place together.
 */
export function compareLayers(one: Graph, other: Graph, size?: number): ComparedModels {
  const [first, second] = [layerTable(one, { size }), layerTable(other, { size })];
  const mine = placesOf(first, perImage(one, size));
  const theirs = placesOf(second, perImage(other, size));
  const gone = new Map<string, string>();
  for (const [key, { node }] of mine) {
    if (!theirs.has(key)) for (const scope of scopesOf(node)) gone.set(scope, key);
  }
  const groups = new Map<string, Place[]>();
  /** What only the second has, by the key of the layer of the first that it follows. */
  const behind = new Map<string, Place[]>();
  let last = "";
  for (const [key, place] of theirs) {
    if (mine.has(key)) {
      last = key;
      continue;
    }
    const scope = scopeIn(place.row.name, gone);
    const [where, at] = scope === undefined ? [behind, last] : [groups, scope];
    const there = where.get(at);
    if (there) there.push(place);
    else where.set(at, [place]);
    if (scope !== undefined) last = scope;
  }
  const layers: ComparedLayer[] = [];
  const added = (key: string) => {
    for (const { row } of behind.get(key) ?? []) {
      layers.push({ name: row.name, kind: "second", second: sideOf(row), ...unlike });
    }
  };
  added("");
  for (const [key, place] of mine) {
    const { name } = place.row;
    const group = groups.get(key);
    const twin = theirs.get(key);
    if (twin) layers.push(pairOf(place, twin, one, other));
    else if (group) {
      const sides = { first: sideOf(place.row), second: groupOf(group.map((p) => p.row)) };
      layers.push({ name, kind: "replaced", ...sides, ...unlike });
    } else layers.push({ name, kind: "first", first: sideOf(place.row), ...unlike });
    added(key);
  }
  return { layers, first, second };
}

const unlike = { differs: [], weightChange: undefined } as const;

/** By name; one that was there before is told apart by a sign that no file can hold beside a number of ours. */
function placesOf({ layers }: LayerTable, graph: Graph): Map<string, Place> {
  const turns = new Map<string, number>();
  const places = new Map<string, Place>();
  layers.forEach((row, i) => {
    const turn = turns.get(row.name) ?? 0;
    turns.set(row.name, turn + 1);
    places.set(turn === 0 ? row.name : `${row.name}\u0000${turn}`, { row, node: graph.nodes[i]! });
  });
  return places;
}

/** Under what a unit in the place of this node is named: the node, or what its weight belongs to. */
const scopesOf = (node: Node): string[] => {
  const [, owner] = /^(.+)\.weight$/.exec(node.inputs[1] ?? "") ?? [];
  return owner === undefined ? [convName(node)] : [convName(node), owner];
};

/** Scopes that lie deeper in a name are not looked for. */
const DEEPEST = 32;

/** Whose place a node takes, by the longest scope of its name that is known. */
function scopeIn(name: string, known: ReadonlyMap<string, string>): string | undefined {
  let end = name.length;
  for (let depth = 0; depth < DEEPEST; depth++) {
    end = Math.max(name.lastIndexOf(".", end - 1), name.lastIndexOf("/", end - 1));
    if (end <= 0) return undefined;
    const key = known.get(name.slice(0, end));
    if (key !== undefined) return key;
  }
  return undefined;
}

const sideOf = ({ op, outputShape: shape, parameters, macs }: TableRow): LayerSide => ({
  ...{ op, nodes: 1, shape, parameters, macs },
});

function groupOf(rows: readonly TableRow[]): LayerSide {
  const counted = rows.every((r) => typeof r.macs === "number");
  return {
    op: `${rows.length} nodes`,
    nodes: rows.length,
    shape: rows[rows.length - 1]!.outputShape,
    parameters: rows.reduce((sum, r) => sum + r.parameters, 0),
    macs: counted ? rows.reduce((sum, r) => sum + (r.macs as number), 0) : undefined,
  };
}

function pairOf(mine: Place, theirs: Place, one: Graph, other: Graph): ComparedLayer {
  const [first, second] = [sideOf(mine.row), sideOf(theirs.row)];
  const differs: string[] = [];
  if (first.op !== second.op) differs.push("operator");
  else differs.push(...attributesApart(mine.node, theirs.node));
  if (formatShape(first.shape) !== formatShape(second.shape)) differs.push("shape");
  if (first.parameters !== second.parameters) differs.push("parameters");
  const weightChange = weightsApart(mine.node, theirs.node, one, other);
  const kind = differs.length > 0 ? "changed" : weightChange ? "weights" : "same";
  return { name: mine.row.name, kind, first, second, differs, weightChange };
}

function attributesApart(a: Node, b: Node): string[] {
  const plain = (node: Node, name: string) => {
    const attribute = node.attributes.get(name);
    return attribute && /^(int|float|string)s?$/.test(attribute.kind) ? JSON.stringify(attribute.value) : "";
  };
  const names = new Set([...a.attributes.keys(), ...b.attributes.keys()]);
  return [...names].filter((name) => plain(a, name) !== plain(b, name));
}

function weightsApart(a: Node, b: Node, one: Graph, other: Graph): number | undefined {
  let [apart, length] = [0, 0];
  let any = false;
  a.inputs.forEach((name, i) => {
    const mine = one.initializers.get(name);
    const theirs = other.initializers.get(b.inputs[i] ?? "");
    if (!mine || !theirs || formatShape(mine.dims) !== formatShape(theirs.dims)) return;
    any = true;
    const [v, w] = [mine.numbers(), theirs.numbers()];
    for (let k = 0; k < v.length; k++) {
      apart += (w[k]! - v[k]!) ** 2;
      length += v[k]! ** 2;
    }
  });
  if (!any) return undefined;
  return length > 0 ? Math.sqrt(apart / length) : apart > 0 ? 1 : 0;
}
