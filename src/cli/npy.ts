import type { DType } from "../base/dtype.js";
import { dtypes } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";

/*
 * NumPy's .npy (numpy/lib/format.py): "\x93NUMPY", version, header length, a Python dict literal
 * { 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } padded to 64 bytes, then the elements.
 */

const MAGIC = "\u0093NUMPY";

const codes = {
  f2: "float16",
  f4: "float32",
  f8: "float64",
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
  b1: "bool",
} as const satisfies Record<string, DType>;
const dtypeByCode = new Map<string, DType>(Object.entries(codes));
const codeByDtype = new Map(Object.entries(codes).map(([code, dtype]) => [dtype as DType, code]));

export function decodeNpy(bytes: Uint8Array, where: string): Tensor {
  const bad = (what: string, got?: string) =>
    new ScconvError("bad-input", `not a readable .npy file: ${what}`, { where, got });
  const latin = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString("latin1");
  if (latin(0, 6) !== MAGIC || bytes.length < 12) throw bad("it does not begin as one");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6]! >= 2;
  const start = wide ? 12 : 10;
  const body = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = latin(start, body);
  const descr = /'descr'\s*:\s*'([<>|=]?)(\w+)'/.exec(header);
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(header);
  const fortran = /'fortran_order'\s*:\s*True/.test(header);
  const dtype = dtypeByCode.get(descr?.[2] ?? "");
  if (!shape || !descr) throw bad("its header is damaged");
  if (!dtype) throw bad("unknown element type", descr[2]);
  const { bytes: width } = dtypes[dtype];
  if (descr[1] === ">" && width > 1) throw bad("its bytes are in big-endian order");
  const dims = shape[1]!
    .split(",")
    .map((s) => s.trim())
    .filter(Boolean)
    .map(Number);
  const need = sizeOf(dims) * width;
  if (bytes.length - body !== need)
    throw bad("its data does not fill its shape", `${bytes.length - body} bytes`);
  const tensor = Tensor.ofBytes(dtype, dims, bytes.subarray(body));
  return fortran && dims.length > 1 ? rowMajor(tensor, dims) : tensor;
}

/** Elements that lie with the first axis fastest, brought into row-major order. */
function rowMajor(tensor: Tensor, dims: readonly number[]): Tensor {
  const from = [...stridesOf([...dims].reverse())].reverse();
  const to = stridesOf(dims);
  const source = tensor.numbers();
  const values = new Float64Array(source.length);
  for (let i = 0; i < values.length; i++) {
    let at = 0;
    for (let axis = 0; axis < dims.length; axis++) {
      at += (Math.floor(i / to[axis]!) % dims[axis]!) * from[axis]!;
    }
    values[i] = source[at]!;
  }
  return Tensor.from(tensor.dtype, dims, values);
}

export function encodeNpy(tensor: Tensor): Uint8Array {
  const code = codeByDtype.get(tensor.dtype);
  if (!code)
    throw new ScconvError("unsupported", `.npy has no ${tensor.dtype}`, { hint: "write .safetensors" });
  const order = dtypes[tensor.dtype].bytes === 1 ? "|" : "<";
  const comma = tensor.dims.length === 1 ? "," : "";
  const dict = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${tensor.dims.join(", ")}${comma}), }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const head = Buffer.alloc(10 + length, " ");
  head.write(MAGIC, 0, "latin1");
  head[6] = 1;
  head[7] = 0;
  head.writeUInt16LE(length, 8);
  head.write(dict, 10, "latin1");
  head[head.length - 1] = 0x0a;
  return Buffer.concat([head, tensor.bytes]);
}
