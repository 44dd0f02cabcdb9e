/** Protobuf's wire format by hand, so that what no writer would write can be written. */
export type Part = Uint8Array | string;

export function varint(value: number | bigint, atLeast = 1): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  } while (rest > 0n || bytes.length < atLeast);
  bytes[bytes.length - 1]! &= 0x7f;
  return Uint8Array.from(bytes);
}

/** Of lists too long for arguments. */
export const join = (parts: readonly Part[]): Uint8Array =>
  Uint8Array.from(Buffer.concat(parts.map((p) => (typeof p === "string" ? Buffer.from(p) : p))));
export const concat = (...parts: readonly Part[]): Uint8Array => join(parts);

export const tag = (field: number, wire: number): Uint8Array => varint(field * 8 + wire);
/** A length-delimited field. */
export const len = (field: number, ...parts: readonly Part[]): Uint8Array => {
  const body = concat(...parts);
  return concat(tag(field, 2), varint(body.length), body);
};
export const int = (field: number, value: number | bigint): Uint8Array =>
  concat(tag(field, 0), varint(value));

/** Field numbers of onnx.proto, where they are used here. */
export const opset = (version: number | bigint = 18): Uint8Array => len(8, len(1, ""), int(2, version));
export const modelOf = (...graph: readonly Part[]): Uint8Array =>
  concat(int(1, 8), opset(), len(7, ...graph));

export type Size = number | bigint | string;
export const valueInfo = (name: Part, dims: readonly Size[] = [2], type = 1): Uint8Array =>
  concat(
    len(1, name),
    len(
      2,
      len(1, int(1, type), len(2, ...dims.map((d) => len(1, typeof d === "string" ? len(2, d) : int(1, d))))),
    ),
  );
export const input = (name: Part, dims?: readonly Size[], type?: number): Uint8Array =>
  len(11, valueInfo(name, dims, type));
export const output = (name: Part): Uint8Array => len(12, len(1, name));

export const ints = (name: string, values: readonly (number | bigint)[]): Uint8Array =>
  len(5, len(1, name), ...values.map((v) => int(8, v)), int(20, 7));
export const intAttr = (name: string, value: number | bigint): Uint8Array =>
  len(5, len(1, name), int(3, value), int(20, 2));
export const stringAttr = (name: string, value: string): Uint8Array =>
  len(5, len(1, name), len(4, value), int(20, 3));
export const graphAttr = (name: string, ...graph: readonly Part[]): Uint8Array =>
  len(5, len(1, name), len(6, ...graph), int(20, 5));
export const tensorAttr = (name: string, ...fields: readonly Part[]): Uint8Array =>
  len(5, len(1, name), len(5, ...fields), int(20, 4));

export const node = (
  op: string,
  inputs: readonly Part[],
  outputs: readonly Part[],
  ...more: readonly Part[]
): Uint8Array =>
  len(1, join(inputs.map((n) => len(1, n))), ...outputs.map((n) => len(2, n)), len(4, op), ...more);

/** The fields of a tensor; `fields` are added to them. */
export const tensor = (
  name: Part,
  dims: readonly (number | bigint)[],
  type: number,
  ...fields: readonly Part[]
): Uint8Array => concat(...dims.map((d) => int(1, d)), int(2, type), len(8, name), ...fields);
export const initializer = (...args: Parameters<typeof tensor>): Uint8Array => len(5, tensor(...args));
export const raw = (bytes: number): Uint8Array => len(9, new Uint8Array(bytes));
const words = (type: typeof Float32Array | typeof BigInt64Array, values: readonly number[]): Uint8Array => {
  const array = type === Float32Array ? Float32Array.from(values) : BigInt64Array.from(values.map(BigInt));
  return new Uint8Array(array.buffer);
};
export const int64s = (
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): Uint8Array => initializer(name, dims, 7, len(9, words(BigInt64Array, values)));
export const floats = (
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): Uint8Array => initializer(name, dims, 1, len(9, words(Float32Array, values)));

/** Relu from x to y. */
export const relu = (more: readonly Part[] = [], name = "y"): Uint8Array =>
  modelOf(input("x"), output(name), node("Relu", ["x"], [name]), ...more);

/** Says that a tensor's data lies in another file. */
export const elsewhere = (location: Part, facts: Readonly<Record<string, string>> = {}): Uint8Array =>
  concat(
    ...[["location", location] as const, ...Object.entries(facts)].map(([key, value]) =>
      len(13, len(1, key), len(2, value)),
    ),
    int(14, 1),
  );
