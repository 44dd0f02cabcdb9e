import { type DType, dtypes, isBig, type TypedArray } from "./dtype.js";
import { ScconvError } from "./errors.js";
import { halfToNumber, numberToBfloat, numberToHalf } from "./half.js";

/** A dense tensor, row-major. Bytes that come from a file are viewed, not copied, until somebody needs them aligned. */
export class Tensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  #data: TypedArray | undefined;
  #bytes: Uint8Array | undefined;
  #load: (() => Uint8Array) | undefined;
  #loaded: WeakRef<Uint8Array> | undefined;

  private constructor(
    dtype: DType,
    dims: readonly number[],
    data?: TypedArray,
    bytes?: Uint8Array,
    load?: () => Uint8Array,
  ) {
    this.dtype = dtype;
    this.dims = dims;
    this.#data = data;
    this.#bytes = bytes;
    this.#load = load;
    if (load) return;
    const got = data ? data.length * dtypes[dtype].bytes : bytes!.byteLength;
    if (got !== sizeOf(dims) * dtypes[dtype].bytes) {
      throw new ScconvError("bad-input", `tensor of ${dtype}[${dims.join("×")}] has the wrong length`, {
        need: `${sizeOf(dims) * dtypes[dtype].bytes} bytes`,
        got: `${got}`,
      });
    }
  }

  /** Wraps a typed array; its length is the product of `dims`. 16-bit floats are held as bits in a Uint16Array. */
  static of(dtype: DType, dims: readonly number[], data: TypedArray): Tensor {
    return new Tensor(dtype, dims, data);
  }

  /** Wraps little-endian bytes at any alignment (ONNX `raw_data`). */
  static ofBytes(dtype: DType, dims: readonly number[], bytes: Uint8Array): Tensor {
    return new Tensor(dtype, dims, undefined, bytes);
  }

  /**
   * Elements that lie elsewhere (ONNX external data): `load` gives their little-endian bytes when somebody asks, and again
   * when they are asked for after the garbage collector has taken them. So a model that is larger than memory can be looked
   * at, and one that is rewritten is never in memory as a whole.
   */
  static lazy(dtype: DType, dims: readonly number[], load: () => Uint8Array): Tensor {
    return new Tensor(dtype, dims, undefined, undefined, load);
  }

  /** From plain numbers, rounded to `dtype`. */
  static from(dtype: DType, dims: readonly number[], values: ArrayLike<number>): Tensor {
    const data = new dtypes[dtype].array(values.length);
    if (isBig(dtype)) {
      const big = data as BigInt64Array;
      for (let i = 0; i < values.length; i++) big[i] = bigOf(values[i]!, dtype);
    } else if (dtype === "float16" || dtype === "bfloat16") {
      const round = dtype === "float16" ? numberToHalf : numberToBfloat;
      for (let i = 0; i < values.length; i++) (data as Uint16Array)[i] = round(values[i]!);
    } else if (dtype === "bool") {
      for (let i = 0; i < values.length; i++) (data as Uint8Array)[i] = values[i] ? 1 : 0;
    } else (data as Float64Array).set(values as ArrayLike<number>);
    return new Tensor(dtype, dims, data);
  }

  static scalar(dtype: DType, value: number): Tensor {
    return Tensor.from(dtype, [], [value]);
  }

  static zeros(dtype: DType, dims: readonly number[]): Tensor {
    return new Tensor(dtype, dims, new dtypes[dtype].array(sizeOf(dims)));
  }

  get size(): number {
    return sizeOf(this.dims);
  }

  /** The elements as a typed array (a view where alignment allows it). Treat it as read-only. */
  get data(): TypedArray {
    if (this.#data) return this.#data;
    const { array, bytes: width } = dtypes[this.dtype];
    const b = this.bytes;
    // Not slice(): a Buffer's gives another view.
    const source = b.byteOffset % width === 0 ? b : new Uint8Array(b);
    const data = new array(source.buffer as ArrayBuffer, source.byteOffset, b.byteLength / width);
    if (!this.#load) this.#data = data;
    return data;
  }

  /** The elements as little-endian bytes, without a copy. */
  get bytes(): Uint8Array {
    if (this.#bytes) return this.#bytes;
    if (this.#load) return this.#loaded?.deref() ?? this.#fetch(this.#load);
    const d = this.#data!;
    return new Uint8Array(d.buffer as ArrayBuffer, d.byteOffset, d.byteLength);
  }

  #fetch(load: () => Uint8Array): Uint8Array {
    const bytes = load();
    this.#loaded = new WeakRef(bytes);
    return bytes;
  }

  /** The elements as JavaScript numbers: the array itself where it holds numbers, a converted copy otherwise. */
  numbers(): ArrayLike<number> {
    const data = this.data;
    if (this.dtype === "float16") return Float64Array.from(data as Uint16Array, halfToNumber);
    if (this.dtype === "bfloat16") return bfloats(data as Uint16Array);
    return isBig(this.dtype) ? Array.from(data as BigInt64Array, Number) : (data as Float64Array);
  }

  /** The same elements under other dims. */
  reshape(dims: readonly number[]): Tensor {
    if (this.#load && sizeOf(dims) === this.size) return Tensor.lazy(this.dtype, dims, () => this.bytes);
    return new Tensor(this.dtype, dims, this.#data, this.#data ? undefined : this.#bytes);
  }

  /** Converted to another element type, as ONNX `Cast` does. */
  cast(dtype: DType): Tensor {
    return dtype === this.dtype ? this : Tensor.from(dtype, this.dims, this.numbers());
  }
}

/** "To the end" is written as the largest int64, which as a number is one too large. */
const bigOf = (value: number, dtype: DType): bigint =>
  dtype === "int64" && value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(Math.trunc(value));

function bfloats(bits: Uint16Array): Float32Array {
  const wide = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = bits[i]! << 16;
  return new Float32Array(wide.buffer);
}

/** Number of elements. */
export function sizeOf(dims: readonly number[]): number {
  let n = 1;
  for (const d of dims) n *= d;
  return n;
}

/** Row-major strides, in elements. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  for (let i = dims.length - 1, s = 1; i >= 0; i--) {
    strides[i] = s;
    s *= dims[i]!;
  }
  return strides;
}
