import type { DType } from "../base/dtype.js";
import { type Global, type Pickled, type Refuse, Tuple } from "./pickle-machine.js";

/*
 * The names that torch.save writes for tensors (2.13 is tested; those of older ones since 1.6 as far as known), and what we make of them. torch/_utils.py has the functions
 * that rebuild; nothing of theirs is run, their arguments are noted.
 */

/** An element type of torch by its name; `dtype` is undefined where we hold no such elements. */
export interface TorchType {
  readonly name: string;
  readonly dtype: DType | undefined;
}

/** A run of elements that the file keeps apart from the pickle. */
export interface Storage {
  readonly key: string;
  /** Undefined: bytes, to which each tensor gives its own element type. */
  readonly type: TorchType | undefined;
  /** Elements, or bytes where there is no type. */
  readonly length: number;
}

/** A tensor as the pickle describes it: a view of a storage, all in elements. */
export class StoredTensor {
  constructor(
    readonly storage: Storage,
    readonly type: TorchType,
    readonly offset: number,
    readonly dims: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

const types: Readonly<Record<string, readonly [storage: string, dtype: DType | undefined]>> = {
  float32: ["FloatStorage", "float32"],
  float64: ["DoubleStorage", "float64"],
  float16: ["HalfStorage", "float16"],
  bfloat16: ["BFloat16Storage", "bfloat16"],
  int64: ["LongStorage", "int64"],
  int32: ["IntStorage", "int32"],
  int16: ["ShortStorage", "int16"],
  int8: ["CharStorage", "int8"],
  uint8: ["ByteStorage", "uint8"],
  bool: ["BoolStorage", "bool"],
  uint16: ["", "uint16"],
  uint32: ["", "uint32"],
  uint64: ["", "uint64"],
  complex64: ["ComplexFloatStorage", undefined],
  complex128: ["ComplexDoubleStorage", undefined],
  float8_e4m3fn: ["", undefined],
  float8_e5m2: ["", undefined],
};

/** Storage classes and element types stand for themselves: nobody calls them. */
interface TypeGlobal extends Global {
  readonly type?: TorchType;
}

const globals = new Map<string, TypeGlobal>();
for (const [name, [storage, dtype]] of Object.entries(types)) {
  const type = { name, dtype };
  globals.set(`torch.${name}`, { name: `torch.${name}`, type });
  if (storage) globals.set(`torch.${storage}`, { name: `torch.${storage}`, type });
}
const untyped = ["torch.storage.UntypedStorage", "torch.storage._UntypedStorage", "torch.UntypedStorage"];
for (const name of untyped) globals.set(name, { name });

const calls: Readonly<Record<string, NonNullable<Global["call"]>>> = {
  "collections.OrderedDict": (args, refuse) => new Map(args.length ? pairs(args[0], refuse) : []),
  "torch.Size": ([dims]) => dims,
  "torch.device": () => null,
  // storage, offset, size, stride (, requires_grad, hooks, metadata)
  "torch._utils._rebuild_tensor": (args, refuse) => rebuilt(args, undefined, refuse),
  "torch._utils._rebuild_tensor_v2": (args, refuse) => rebuilt(args, undefined, refuse),
  // storage, offset, size, stride, requires_grad, hooks, dtype (, metadata)
  "torch._utils._rebuild_tensor_v3": (args, refuse) =>
    rebuilt(args, (args[6] as TypeGlobal | null | undefined)?.type, refuse),
  // data, requires_grad, hooks (, state)
  "torch._utils._rebuild_parameter": ([data]) => data,
  "torch._utils._rebuild_parameter_with_state": ([data]) => data,
};
for (const [name, call] of Object.entries(calls)) globals.set(name, { name, call });

export const torchGlobals: ReadonlyMap<string, Global> = globals;

/** ("storage", class, key, location, length): the only thing that torch.save keeps outside. */
export function torchStorage(id: Pickled, refuse: Refuse): Storage {
  const [what, storage, key, location, length] = id instanceof Tuple ? id.items : [];
  const known = globals.get((storage as TypeGlobal | undefined)?.name ?? "");
  const isClass = known === storage && known !== undefined && known.call === undefined;
  if (what !== "storage" || !isClass || typeof key !== "string" || typeof location !== "string") {
    throw refuse("the pickle refers to something outside that is no storage of a tensor");
  }
  if (!isCount(length)) throw refuse(`storage "${key}" has no length`, { got: `${length}` });
  return { key, type: known.type, length };
}

function rebuilt(args: readonly Pickled[], type: TorchType | undefined, refuse: Refuse): StoredTensor {
  const [storage, offset, size, stride] = args as [Storage | undefined, unknown, unknown, unknown];
  const dims = size instanceof Tuple ? size.items : undefined;
  const strides = stride instanceof Tuple ? stride.items : undefined;
  const elements = type ?? storage?.type;
  if (
    typeof storage?.key !== "string" ||
    !elements ||
    !isCount(offset) ||
    !dims?.every(isCount) ||
    !strides?.every(isCount) ||
    dims.length !== strides.length ||
    dims.length > 16
  ) {
    throw refuse("the pickle describes a tensor that is none");
  }
  return new StoredTensor(storage, elements, offset, dims as number[], strides as number[]);
}

const isCount = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;

function pairs(list: Pickled, refuse: Refuse): [Pickled, Pickled][] {
  if (!Array.isArray(list)) throw refuse("the pickle makes a dictionary of what is no list of pairs");
  return list.map((pair) => {
    const items = pair instanceof Tuple ? pair.items : pair;
    if (!Array.isArray(items) || items.length !== 2) {
      throw refuse("the pickle makes a dictionary of what is no list of pairs");
    }
    return [items[0], items[1]];
  });
}
