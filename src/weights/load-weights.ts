import { isFloat } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { globs } from "../base/glob.js";
import type { Tensor } from "../base/tensor.js";
import type { Graph } from "../graph/ir.js";
import type { ScconvSettings } from "../nn/scconv.js";
import { trainableParts, withInitializers } from "../train/parts.js";
import { fromPort, unwrapped } from "./names.js";

export interface LoadOptions {
  /** The file, for messages. */
  readonly where?: string;
  /** Globs over parameter names, separated by commas: these keep the values that the graph has. */
  readonly skip?: string | undefined;
  /** How the graph's SCConv units compute: weights of the common port fit `gate` soft and `fuse` all only. */
  readonly unit?: Partial<Pick<ScconvSettings, "gate" | "fuse">> | undefined;
}

export interface LoadedWeights {
  readonly graph: Graph;
  /** Names that were set, in the graph's order. */
  readonly loaded: readonly string[];
  /** Parameters that were left as they are, because of `skip`. */
  readonly skipped: readonly string[];
  /** Whether the units' names were the common port's. */
  readonly port: boolean;
}

/**
 * The graph with its parameters and running statistics taken from `tensors`, by name; floats of other widths are rounded to
 * the graph's. Prefixes of wrappers (`module.`) are taken off, names of the common SCConv port translated. Throws one
 * `bad-input` that says all that does not fit: what is missing, what the graph does not have, what has another shape.
 */
export function loadWeights(
  graph: Graph,
  tensors: ReadonlyMap<string, Tensor>,
  { where = "weights", skip, unit = {} }: LoadOptions = {},
): LoadedWeights {
  const { parameters, statistics } = trainableParts(graph);
  const wanted = new Map([...parameters, ...statistics]);
  const given = translated(tensors, new Set(wanted.keys()));
  const skips = globs(skip ?? "");
  const unused = skips.filter((s) => ![...wanted.keys()].some((name) => s.test(name)));
  if (unused.length > 0) {
    throw new ScconvError("bad-input", "no parameter has such a name", {
      where,
      got: unused.map((s) => `"${s.pattern}"`).join(", "),
      need: list([...wanted.keys()]),
    });
  }
  const isSkipped = (name: string) => skips.some((s) => s.test(name));

  const missing: string[] = [];
  const shapes: string[] = [];
  const set = new Map<string, Tensor>();
  for (const [name, own] of wanted) {
    if (isSkipped(name)) continue;
    const tensor = given.tensors.get(name);
    if (!tensor) missing.push(name);
    else if (!isFloat(tensor.dtype)) shapes.push(`${name} is ${tensor.dtype}`);
    else if (tensor.dims.join() !== own.dims.join()) {
      shapes.push(`${name} is ${shapeText(tensor.dims)}, here ${shapeText(own.dims)}`);
    } else set.set(name, tensor.cast(own.dtype));
  }
  const unexpected = [...given.tensors.keys()].filter(
    (name) => !wanted.has(name) && !graph.initializers.has(name) && !isSkipped(name) && !isCounter(name),
  );
  const problems = [
    missing.length > 0 && `${missing.length} missing (${list(missing)})`,
    unexpected.length > 0 && `${unexpected.length} that the network does not have (${list(unexpected)})`,
    shapes.length > 0 && `${shapes.length} of another shape (${list(shapes)})`,
  ].filter(Boolean);
  if (problems.length > 0) {
    throw new ScconvError("bad-input", `does not fit the network: ${problems.join(", ")}`, {
      where,
      hint: set.size > 0 ? hintFor(shapes, missing) : undefined,
    });
  }
  if (given.port) checkPort(unit, where);
  return {
    graph: withInitializers(graph, set),
    loaded: [...set.keys()],
    skipped: [...wanted.keys()].filter(isSkipped),
    port: given.port,
  };
}

/** The tensors under the graph's kind of names. */
function translated(tensors: ReadonlyMap<string, Tensor>, known: ReadonlySet<string>) {
  const out = new Map<string, Tensor>();
  let port = false;
  for (const [name, was] of unwrapped(tensors.keys(), known)) {
    const ours = known.has(name) ? undefined : fromPort(name);
    port ||= ours !== undefined;
    out.set(ours ?? name, tensors.get(was)!);
  }
  return { tensors: out, port };
}

function checkPort({ gate, fuse }: NonNullable<LoadOptions["unit"]>, where: string): void {
  if (gate === "soft" && fuse === "all") return;
  throw new ScconvError(
    "bad-setting",
    "these are weights of the common PyTorch port, which computes otherwise",
    {
      where,
      got: `gate ${gate ?? "straight-through"}, fuse ${fuse ?? "pair"}`,
      need: "gate soft, fuse all",
      hint: "the port's groups and alpha have to be given, too, where they are not the defaults: they leave no trace in the weights",
    },
  );
}

/** PyTorch counts the batches that its running statistics have seen. */
const isCounter = (name: string): boolean => /(^|\.)num_batches_tracked$/.test(name);

const SHOWN = 4;
const list = (names: readonly string[]): string =>
  names.slice(0, SHOWN).join("; ") + (names.length > SHOWN ? " …" : "");

const shapeText = (dims: readonly number[]): string => (dims.length === 0 ? "a scalar" : dims.join("×"));

/** The layers that do not fit, as globs: usually the classifier of another number of classes. */
function hintFor(shapes: readonly string[], missing: readonly string[]): string | undefined {
  const layers = new Set(
    [...shapes.map((s) => s.split(" ")[0]!), ...missing].map((name) => name.replace(/[^.]*$/, "*")),
  );
  if (layers.size === 0 || layers.size > 3) return undefined;
  return `--weights-skip '${[...layers].join(",")}' keeps fresh values there`;
}
