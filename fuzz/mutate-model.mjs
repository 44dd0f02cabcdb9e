import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "../dist/graph/gen/onnx_pb.js";
import { operators } from "../dist/ops/index.js";
import { edges } from "./random.mjs";

const names = [...operators.keys(), "If", "Loop", "Scan", "TopK", "Upsample", "RandomNormal", "Acme"];
const texts = [
  "",
  "__proto__",
  "constructor",
  "N",
  "?0",
  "8·N",
  "(H+1)/2",
  "\u001b[31m",
  "SAME_UPPER",
  "VALID",
  "linear",
  "x".repeat(5000),
];
const big = [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const types = [1, 2, 3, 6, 7, 9, 10, 11, 16];

/**
 * One to four changes of what a model says: its lengths stay right, so that they come past the reader and reach the rules
 * of the operators. Undefined where the bytes are no model.
 */
export function mutateModel(bytes, dice) {
  let model;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch {
    return undefined;
  }
  for (let n = dice.int(4); n >= 0; n--) {
    const slots = [...slotsOf(model)];
    if (slots.length === 0) break;
    change(dice.pick(slots), slots, dice);
  }
  try {
    return Buffer.from(toBinary(ModelProtoSchema, model));
  } catch {
    return undefined;
  }
}

/** Every field that is set, wherever it is: { owner, key, value }. */
function* slotsOf(root) {
  const stack = [root];
  for (let message = stack.pop(); message; message = stack.pop()) {
    for (const [key, value] of Object.entries(message)) {
      if (key.startsWith("$")) continue;
      yield { owner: message, key, value };
      if (Array.isArray(value)) stack.push(...value.slice(0, 200).filter(isMessage));
      else if (isMessage(value)) stack.push(value);
    }
  }
}
const isMessage = (v) =>
  typeof v === "object" && v !== null && !(v instanceof Uint8Array) && !Array.isArray(v);

function change({ owner, key, value }, slots, dice) {
  if (Array.isArray(value)) changeList(owner, key, slots, dice);
  else owner[key] = changed(value, key, slots, dice);
}

function changed(value, key, slots, dice) {
  if (typeof value === "bigint") return dice.chance(0.1) ? dice.pick(big) : BigInt(near(Number(value), dice));
  if (typeof value === "number") {
    if (key === "dataType" || key === "elemType") return dice.pick(types);
    return Number.isInteger(value)
      ? Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, near(value, dice)))
      : dice.pick([0, -1, 1e30, Number.NaN, Number.POSITIVE_INFINITY]);
  }
  if (typeof value === "string") {
    if (key === "opType") return dice.pick(names);
    const others = slots
      .filter((s) => typeof s.value === "string" || Array.isArray(s.value))
      .flatMap((s) => s.value)
      .filter((s) => typeof s === "string");
    return dice.chance(0.8) && others.length > 0 ? dice.pick(others) : dice.pick(texts);
  }
  if (value instanceof Uint8Array) {
    if (dice.chance(0.3)) return value.subarray(0, dice.int(value.length + 1));
    const copy = Uint8Array.from(value);
    if (copy.length > 0) copy[dice.int(copy.length)] = dice.int(256);
    return copy;
  }
  // A message: another one of the same kind, or none.
  const same = slots.map((s) => s.value).filter((v) => isMessage(v) && v.$typeName === value?.$typeName);
  return dice.chance(0.3) && value?.$typeName
    ? undefined
    : structuredClone(dice.pick(same.length ? same : [value]));
}

const near = (value, dice) => {
  const safe = Number.isFinite(value) ? Math.trunc(value) : 0;
  return dice.chance(0.5)
    ? dice.pick(edges)
    : Math.max(-(2 ** 52), Math.min(2 ** 52, safe + dice.pick([-1, 1, 2, -2, safe])));
};

function changeList(owner, key, slots, dice) {
  const list = owner[key];
  const at = dice.int(Math.max(1, list.length));
  switch (dice.int(5)) {
    case 0:
      list.splice(at, 1);
      break;
    case 1:
      if (list.length > 0) list.splice(at, 0, structuredClone(list[at]));
      break;
    case 2: {
      const to = dice.int(Math.max(1, list.length));
      if (list.length > 1) [list[at], list[to]] = [list[to], list[at]];
      break;
    }
    case 3: {
      const same = slots.filter((s) => s.key === key && Array.isArray(s.value)).flatMap((s) => s.value);
      if (same.length > 0) list.splice(at, 0, structuredClone(dice.pick(same)));
      break;
    }
    default:
      if (list.length > 0 && !isMessage(list[at])) list[at] = changed(list[at], key, slots, dice);
  }
}
