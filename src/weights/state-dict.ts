import { ScconvError } from "../base/errors.js";
import type { Pickled } from "./pickle-machine.js";
import { StoredTensor } from "./torch-globals.js";

export interface FoundStateDict {
  readonly tensors: Map<string, StoredTensor>;
  /** The keys that led to it, joined by dots; "" at the top. */
  readonly under: string;
}

/** Keys under which training scripts keep the state dict, the one to take first being first. */
const wrappers = ["state_dict", "model_state_dict", "model", "net", "params", "ema", "model_ema"];
const MAX_DEPTH = 4;

/**
 * The state dict in what a file holds: the thing itself, or under one of the usual keys (or `under`) of a checkpoint, beside
 * optimizer states and the like. Values that are no tensors are left out. Throws `bad-input` where there is none.
 */
export function stateDictIn(value: Pickled, where: string, under?: string): FoundStateDict {
  let found = value;
  const path: string[] = [];
  if (under !== undefined) {
    found = found instanceof Map ? found.get(under) : undefined;
    if (!(found instanceof Map)) {
      throw new ScconvError("bad-input", `there is no dictionary under "${under}"`, {
        where,
        got: keysOf(value),
      });
    }
    path.push(under);
  }
  for (let depth = 0; depth < MAX_DEPTH && found instanceof Map; depth++) {
    const dictionary: Map<unknown, unknown> = found;
    const key =
      wrappers.find((k) => dictionary.get(k) instanceof Map) ??
      (tensorsIn(dictionary).size === 0 ? onlyDictionary(dictionary) : undefined);
    if (key === undefined) break;
    path.push(key);
    found = dictionary.get(key);
  }
  const tensors = found instanceof Map ? tensorsIn(found) : new Map<string, StoredTensor>();
  if (tensors.size === 0) {
    throw new ScconvError("bad-input", "no tensors by name", {
      where,
      need: "a state dict",
      got: keysOf(value),
    });
  }
  return { tensors, under: path.join(".") };
}

function tensorsIn(dictionary: Map<unknown, unknown>): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [key, v] of dictionary) {
    if (typeof key === "string" && v instanceof StoredTensor) tensors.set(key, v);
  }
  return tensors;
}

function onlyDictionary(dictionary: Map<unknown, unknown>): string | undefined {
  const inner = [...dictionary].filter(
    ([k, v]) => typeof k === "string" && v instanceof Map && tensorsIn(v).size,
  );
  return inner.length === 1 ? (inner[0]![0] as string) : undefined;
}

function keysOf(value: Pickled): string {
  if (!(value instanceof Map)) return value instanceof StoredTensor ? "a tensor alone" : "something else";
  const keys = [...value.keys()].filter((k) => typeof k === "string");
  return `keys ${keys.slice(0, 8).join(", ")}${keys.length > 8 ? " …" : ""}`;
}
