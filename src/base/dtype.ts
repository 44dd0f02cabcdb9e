/** Element types of tensors, in ONNX's numbering (`TensorProto.DataType`). */
export const dtypes = {
  float32: { code: 1, bytes: 4, array: Float32Array },
  uint8: { code: 2, bytes: 1, array: Uint8Array },
  int8: { code: 3, bytes: 1, array: Int8Array },
  uint16: { code: 4, bytes: 2, array: Uint16Array },
  int16: { code: 5, bytes: 2, array: Int16Array },
  int32: { code: 6, bytes: 4, array: Int32Array },
  int64: { code: 7, bytes: 8, array: BigInt64Array },
  bool: { code: 9, bytes: 1, array: Uint8Array },
  float16: { code: 10, bytes: 2, array: Uint16Array },
  float64: { code: 11, bytes: 8, array: Float64Array },
  uint32: { code: 12, bytes: 4, array: Uint32Array },
  uint64: { code: 13, bytes: 8, array: BigUint64Array },
  bfloat16: { code: 16, bytes: 2, array: Uint16Array },
} as const;

export type DType = keyof typeof dtypes;

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

const byCode = new Map<number, DType>(
  (Object.keys(dtypes) as DType[]).map((name) => [dtypes[name].code as number, name]),
);

/** The element type with ONNX's number `code`, or undefined for one that we do not hold (string, complex, float8 …). */
export const dtypeOfCode = (code: number): DType | undefined => byCode.get(code);

export const isFloat = (t: DType): boolean =>
  t === "float32" || t === "float64" || t === "float16" || t === "bfloat16";

export const isBig = (t: DType): boolean => t === "int64" || t === "uint64";
