import { type DType, dtypeOfCode, dtypes } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import { type ExternalReader, readExternalData } from "./external.js";
import { type TensorProto, TensorProto_DataLocation } from "./gen/onnx_pb.js";
import { limits } from "./limits.js";

/** Which message a tensor was read from, so that an untouched one is written back in the same form. */
export const tensorOrigin = new WeakMap<Tensor, TensorProto>();

/** Reads a tensor; its weights stay views of the file. Throws `invalid-graph` or `unsupported`. */
export function readTensor(proto: TensorProto, external: ExternalReader | undefined): Tensor {
  const where = `tensor "${proto.name}"`;
  const dtype = dtypeOfCode(proto.dataType);
  if (!dtype) {
    throw new ScconvError("unsupported", `element type number ${proto.dataType} is not supported`, { where });
  }
  const dims = readDims(proto, where);
  const { bytes } = dtypes[dtype];
  const typed = typedValues(proto, dtype);
  const forms = payloads(proto);
  if (forms.length > 1) {
    throw new ScconvError("invalid-graph", "its data is there more than once", {
      where,
      got: forms.join(" and "),
    });
  }
  const need = sizeOf(dims) * bytes;
  if (isExternal(proto)) {
    const data = readExternalData(proto.externalData, where);
    if (forms.length > 0) {
      throw new ScconvError("invalid-graph", "its data is said to be in another file, and is here too", {
        where,
      });
    }
    if (!external) {
      throw new ScconvError(
        "unsupported",
        "its data lies in another file (external data), which is not at hand",
        {
          where,
          hint: "read the model by its path, or save it as a single file",
        },
      );
    }
    const tensor = Tensor.lazy(dtype, dims, external(data, need, where));
    tensorOrigin.set(tensor, proto);
    return tensor;
  }
  const values = proto.rawData.byteLength > 0 ? undefined : typed;
  const got = values ? values.length * bytes : proto.rawData.byteLength;
  if (got !== need) {
    throw new ScconvError("invalid-graph", "its data does not fill its dimensions", {
      where,
      need: `${need} bytes for ${dtype}[${dims.join("×")}]`,
      got: `${got}`,
    });
  }
  const tensor = values
    ? Tensor.of(dtype, dims, narrow(dtype, values))
    : Tensor.ofBytes(dtype, dims, proto.rawData);
  tensorOrigin.set(tensor, proto);
  return tensor;
}

export const isExternal = (proto: TensorProto): boolean =>
  proto.dataLocation === TensorProto_DataLocation.EXTERNAL;

/** Whether a tensor was read from another file than the model's. */
export const hasExternalData = (tensor: Tensor): boolean => {
  const origin = tensorOrigin.get(tensor);
  return origin !== undefined && isExternal(origin);
};

function readDims(proto: TensorProto, where: string): number[] {
  const dims = proto.dims.map(Number);
  if (dims.length > limits.rank) {
    throw new ScconvError("invalid-graph", "too many dimensions", {
      where,
      need: `at most ${limits.rank}`,
      got: `${dims.length}`,
    });
  }
  // A 0 does not excuse the others: what computes with them would overflow before it comes to the 0.
  const most = sizeOf(dims.map((d) => Math.max(1, d))) * 8;
  if (dims.some((d) => !Number.isSafeInteger(d) || d < 0) || !Number.isSafeInteger(most)) {
    throw new ScconvError("invalid-graph", "impossible dimensions", { where, got: proto.dims.join("×") });
  }
  return dims;
}

/** The fields that hold data. */
function payloads(proto: TensorProto): string[] {
  const lengths: Record<string, number> = {
    raw_data: proto.rawData.byteLength,
    float_data: proto.floatData.length,
    int32_data: proto.int32Data.length,
    string_data: proto.stringData.length,
    int64_data: proto.int64Data.length,
    double_data: proto.doubleData.length,
    uint64_data: proto.uint64Data.length,
  };
  return Object.entries(lengths).flatMap(([field, n]) => (n > 0 ? [field] : []));
}

/** 16-bit floats lie in `int32_data` as bits; the other narrow types as numbers. */
function typedValues(proto: TensorProto, dtype: DType): readonly number[] | readonly bigint[] {
  if (dtype === "float32") return proto.floatData;
  if (dtype === "float64") return proto.doubleData;
  if (dtype === "int64") return proto.int64Data;
  if (dtype === "uint32") return proto.uint64Data.map(Number);
  if (dtype === "uint64") return proto.uint64Data;
  return proto.int32Data;
}

function narrow(dtype: DType, values: readonly number[] | readonly bigint[]) {
  const array = new dtypes[dtype].array(values.length);
  for (let i = 0; i < values.length; i++) (array as Float64Array)[i] = values[i] as number;
  return array;
}
