import { fromBinary } from "@bufbuild/protobuf";
import { type Dim, unknownDim } from "../base/dims.js";
import { type DType, dtypeOfCode, dtypes } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProto_DataLocation,
  type TypeProto,
  type ValueInfoProto,
} from "./gen/onnx_pb.js";
import type { Attribute, Graph, Model, Node, TensorType, ValueInfo } from "./ir.js";
import { topological } from "./walk.js";

/*
 * ONNX bytes ↔ Model. Weights stay views of the file's bytes. What we do not model (unknown fields, quantisation
 * annotations, functions, training info …) stays in the protobuf message that a thing came from, `origin`, and is written
 * back with it.
 */

const MAX_SUBGRAPH_DEPTH = 64;
const utf8 = new TextDecoder();
/** Which message a tensor was read from, so that an untouched one is written back in the same form. */
export const tensorOrigin = new WeakMap<Tensor, TensorProto>();

/** Reads an ONNX file. Throws `not-an-onnx-file` with a clear reason when it is none. */
export function decodeModel(bytes: Uint8Array, where = "model"): Model {
  let proto: ModelProto;
  try {
    proto = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new ScconvError("not-an-onnx-file", `not a readable ONNX model: ${looksLike(bytes)}`, {
      where,
      hint: "export the model again, or check that the file was copied whole",
      cause,
    });
  }
  if (!proto.graph || proto.irVersion === 0n) {
    throw new ScconvError("not-an-onnx-file", `not an ONNX model: ${looksLike(bytes)}`, {
      where,
      hint: "the file must hold an ONNX ModelProto with a graph",
    });
  }
  const opsets = new Map(
    proto.opsetImport.map((o) => [o.domain === "ai.onnx" ? "" : o.domain, Number(o.version)] as const),
  );
  try {
    return {
      graph: readGraph(proto.graph, opsets, 0),
      irVersion: Number(proto.irVersion),
      producer: { name: proto.producerName, version: proto.producerVersion },
      metadata: new Map(proto.metadataProps.map((p) => [p.key, p.value])),
      doc: proto.docString || undefined,
      origin: proto,
    };
  } catch (error) {
    if (!(error instanceof ScconvError)) throw error;
    throw new ScconvError(error.code, error.message, { where, cause: error });
  }
}

function looksLike(bytes: Uint8Array): string {
  if (bytes.length === 0) return "the file is empty";
  const head = utf8.decode(bytes.subarray(0, 512));
  if (head.startsWith("version https://git-lfs")) return "it is a Git LFS pointer (run git lfs pull)";
  if (head.startsWith("PK\u0003\u0004")) return "it is a zip archive (a PyTorch checkpoint?)";
  if (head.startsWith("\u0089PNG") || head.includes("PNG\r\n")) return "it is a PNG image";
  if (/^\s*<(!doctype|html|\?xml)/i.test(head)) return "it is a web page";
  if (/^[\t\n\r\u0020-\u007e]+$/.test(head)) return "it is a text file";
  return "the bytes are damaged or truncated";
}

function readGraph(proto: GraphProto, opsets: ReadonlyMap<string, number>, depth: number): Graph {
  if (depth > MAX_SUBGRAPH_DEPTH) {
    throw new ScconvError("invalid-graph", `sub-graphs are nested more than ${MAX_SUBGRAPH_DEPTH} deep`);
  }
  const types = new Map<string, TensorType>();
  for (const info of proto.valueInfo) {
    const type = readType(info.type);
    if (type) types.set(info.name, type);
  }
  return {
    name: proto.name,
    nodes: topological(proto.node.map((n) => readNode(n, opsets, depth))),
    inputs: proto.input.map(readValueInfo),
    outputs: proto.output.map(readValueInfo),
    initializers: new Map(proto.initializer.map((t) => [t.name, readTensor(t)])),
    types,
    opsets,
    doc: proto.docString || undefined,
    origin: proto,
  };
}

const readNode = (proto: NodeProto, opsets: ReadonlyMap<string, number>, depth: number): Node => ({
  op: proto.opType,
  domain: proto.domain === "ai.onnx" ? "" : proto.domain,
  name: proto.name,
  inputs: proto.input,
  outputs: proto.output,
  attributes: new Map(proto.attribute.map((a) => [a.name, readAttribute(a, opsets, depth)])),
  doc: proto.docString || undefined,
  origin: proto,
});

function readAttribute(a: AttributeProto, opsets: ReadonlyMap<string, number>, depth: number): Attribute {
  const origin = a;
  switch (a.type) {
    case AttributeType.FLOAT:
      return { kind: "float", value: a.f, origin };
    case AttributeType.INT:
      return { kind: "int", value: Number(a.i), origin };
    case AttributeType.STRING:
      return { kind: "string", value: utf8.decode(a.s), origin };
    case AttributeType.FLOATS:
      return { kind: "floats", value: a.floats, origin };
    case AttributeType.INTS:
      return { kind: "ints", value: a.ints.map(Number), origin };
    case AttributeType.STRINGS:
      return { kind: "strings", value: a.strings.map((s) => utf8.decode(s)), origin };
    case AttributeType.TENSOR:
      if (a.t && dtypeOfCode(a.t.dataType)) return { kind: "tensor", value: readTensor(a.t), origin };
      break;
    case AttributeType.GRAPH:
      if (a.g) return { kind: "graph", value: readGraph(a.g, opsets, depth + 1), origin };
  }
  return { kind: "other", value: undefined, origin };
}

const readValueInfo = (proto: ValueInfoProto): ValueInfo => ({
  name: proto.name,
  type: readType(proto.type),
  doc: proto.docString || undefined,
  origin: proto,
});

export function readType(proto: TypeProto | undefined): TensorType | undefined {
  if (proto?.value.case !== "tensorType") return undefined;
  const { elemType, shape } = proto.value.value;
  const dtype = dtypeOfCode(elemType);
  if (!dtype) return undefined;
  return {
    dtype,
    shape: shape?.dim.map((d): Dim => {
      if (d.value.case === "dimValue") return Number(d.value.value);
      return d.value.case === "dimParam" && d.value.value ? d.value.value : unknownDim();
    }),
  };
}

function readTensor(proto: TensorProto): Tensor {
  const where = `tensor "${proto.name}"`;
  const dtype = dtypeOfCode(proto.dataType);
  if (!dtype) {
    throw new ScconvError("unsupported", `element type number ${proto.dataType} is not supported`, { where });
  }
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    throw new ScconvError(
      "unsupported",
      "its data lies in another file (external data), which is not supported",
      {
        where,
        hint: "save the model as a single file",
      },
    );
  }
  const dims = proto.dims.map(Number);
  if (dims.some((d) => !Number.isSafeInteger(d) || d < 0) || !Number.isSafeInteger(sizeOf(dims) * 8)) {
    throw new ScconvError("invalid-graph", "impossible dimensions", { where, got: dims.join("×") });
  }
  const { bytes } = dtypes[dtype];
  const values = proto.rawData.byteLength > 0 ? undefined : typedValues(proto, dtype);
  const got = values ? values.length * bytes : proto.rawData.byteLength;
  if (got !== sizeOf(dims) * bytes) {
    throw new ScconvError("invalid-graph", "its data does not fill its dimensions", {
      where,
      need: `${sizeOf(dims) * bytes} bytes for ${dtype}[${dims.join("×")}]`,
      got: `${got}`,
    });
  }
  const tensor = values
    ? Tensor.of(dtype, dims, narrow(dtype, values))
    : Tensor.ofBytes(dtype, dims, proto.rawData);
  tensorOrigin.set(tensor, proto);
  return tensor;
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
