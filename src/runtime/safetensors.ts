import { type DType, dtypes } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, Tensor } from "../base/tensor.js";

/*
 * The safetensors format (github.com/huggingface/safetensors): eight bytes of little-endian header length, a JSON header
 * { name: { dtype, shape, data_offsets } , __metadata__ }, then the bytes of the tensors without gaps.
 */

const names: Record<string, DType> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  U16: "uint16",
  U32: "uint32",
  U64: "uint64",
  BOOL: "bool",
};
const codes = new Map(Object.entries(names).map(([code, dtype]) => [dtype, code]));
/** The header limit of the reference implementation. */
const MAX_HEADER = 100_000_000;

export interface Safetensors {
  readonly tensors: Map<string, Tensor>;
  readonly metadata: Map<string, string>;
}

/** Reads a safetensors file; tensors are views of `bytes`. Throws `bad-input` naming `where`. */
export function decodeSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const bad = (what: string, got?: string) =>
    new ScconvError("bad-input", `not a valid safetensors file: ${what}`, { where, got });
  if (bytes.byteLength < 8) throw bad("too short", `${bytes.byteLength} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER || 8 + length > bytes.byteLength)
    throw bad("the header is longer than the file", `${length}`);
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length));
    parsed = JSON.parse(text);
  } catch {
    throw bad("the header is not JSON");
  }
  const header = fieldsOf(parsed);
  if (!header) throw bad("the header is not a JSON object");
  const twice = repeatedKey(text);
  if (twice !== undefined) throw bad(`it names "${twice}" twice`);
  const body = bytes.subarray(8 + length);
  const tensors = new Map<string, Tensor>();
  const metadata = new Map<string, string>();
  const ranges: [begin: number, end: number, name: string][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      const notes = fieldsOf(entry);
      if (!notes) throw bad("the metadata is not a JSON object");
      for (const [key, value] of Object.entries(notes)) metadata.set(key, String(value));
      continue;
    }
    const fields = fieldsOf(entry);
    if (!fields) throw bad(`tensor "${name}" is not described`);
    const { dtype: code, shape, data_offsets: offsets } = fields;
    const dtype = Object.hasOwn(names, String(code)) ? names[String(code)] : undefined;
    if (!dtype) throw bad(`tensor "${name}" has an unknown element type`, String(code));
    const dims = whole(shape);
    const range = whole(offsets);
    const size = dims ? sizeOf(dims) * dtypes[dtype].bytes : Number.NaN;
    if (!dims || range?.length !== 2 || range[1]! - range[0]! !== size || range[1]! > body.byteLength) {
      throw bad(`tensor "${name}" does not fit its data`);
    }
    ranges.push([range[0]!, range[1]!, name]);
    tensors.set(name, Tensor.ofBytes(dtype, dims, body.subarray(range[0], range[1])));
  }
  let end = 0;
  for (const [begin, next, name] of ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (begin < end) throw bad(`tensor "${name}" lies over another one`);
    if (begin > end) throw bad(`there is a gap before tensor "${name}"`);
    end = next;
  }
  if (end !== body.byteLength) {
    throw bad("there is more behind the last tensor", `${body.byteLength - end} bytes`);
  }
  return { tensors, metadata };
}

/**
 * A key that the object, whose text is known to be JSON, has twice; JSON.parse would take the later one and say nothing.
 * No regular expression: on a name of megabytes its stack overflows.
 */
function repeatedKey(json: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const c = json[at];
    if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") depth--;
    if (c !== '"') continue;
    const from = at++;
    while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
    const isKey = depth === 1 && isKeyEnd(json, at + 1);
    if (!isKey) continue;
    const key: string = JSON.parse(json.slice(from, at + 1));
    if (seen.has(key)) return key;
    seen.add(key);
  }
  return undefined;
}

/** Whether a colon comes next. */
function isKeyEnd(json: string, from: number): boolean {
  let at = from;
  while (" \t\r\n".includes(json[at]!)) at++;
  return json[at] === ":";
}

function fieldsOf(value: unknown): Record<string, unknown> | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : undefined;
}

function whole(value: unknown): number[] | undefined {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0) ? value : undefined;
}

/** Writes a safetensors file, into memory that `room` gives for so many bytes. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
  room: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): Uint8Array {
  let at = 0;
  const entries: [string, unknown][] = [];
  if (metadata.size) entries.push(["__metadata__", Object.fromEntries(metadata)]);
  for (const [name, tensor] of tensors) {
    const end = at + tensor.bytes.byteLength;
    entries.push([name, { dtype: codes.get(tensor.dtype), shape: tensor.dims, data_offsets: [at, end] }]);
    at = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  // Readers map the body: it starts at a multiple of eight.
  const padded = Math.ceil(json.byteLength / 8) * 8;
  const bytes = room(8 + padded + at);
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, 8, 8 + padded);
  bytes.set(json, 8);
  at = 8 + padded;
  for (const tensor of tensors.values()) {
    bytes.set(tensor.bytes, at);
    at += tensor.bytes.byteLength;
  }
  return bytes;
}
