import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Dim, unknownDim } from "../base/dims.js";
import { type DType, dtypeOfCode, dtypes } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  type TypeProto,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
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
const utf8Bytes = new TextEncoder();
/** Which message a tensor was read from, so that an untouched one is written back in the same form. */
const tensorOrigin = new WeakMap<Tensor, TensorProto>();

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

function readType(proto: TypeProto | undefined): TensorType | undefined {
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

/** Writes an ONNX file; the bytes of untouched weights are copied once, into the result. */
export function encodeModel(model: Model): Uint8Array {
  const origin = model.origin as ModelProto | undefined;
  const opsets = [...model.graph.opsets].map(([domain, version]) =>
    create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
  );
  const metadata = [...model.metadata].map(
    ([key, value]) =>
      origin?.metadataProps.find((p) => p.key === key && p.value === value) ??
      create(StringStringEntryProtoSchema, { key, value }),
  );
  const proto = create(ModelProtoSchema, {
    ...keep(model.origin),
    irVersion: BigInt(model.irVersion),
    producerName: model.producer.name,
    producerVersion: model.producer.version,
    metadataProps: metadata,
    graph: writeGraph(model.graph),
    opsetImport: sameOpsets(model) ?? opsets,
  } as never);
  text(proto, "docString", model.doc);
  return toBinary(ModelProtoSchema, proto as ModelProto);
}

/** Untouched imports are written back as they were read ("ai.onnx" and "" both name the standard set). */
function sameOpsets(model: Model) {
  const origin = model.origin as ModelProto | undefined;
  const same =
    origin?.opsetImport.length === model.graph.opsets.size &&
    origin.opsetImport.every(
      (o) => model.graph.opsets.get(o.domain === "ai.onnx" ? "" : o.domain) === Number(o.version),
    );
  return same ? origin?.opsetImport : undefined;
}

/**
 * The fields of a message, unknown ones included, to be overridden where we model them. It says that it is a message, so
 * `create` takes it as it is: what overrides must be messages too, not plain objects.
 */
const keep = (origin: object | undefined): object => ({ ...(origin ?? {}) });

/** Sets an optional text field only where there is text: absence survives. */
function text(proto: object, field: string, value: string | undefined): void {
  if (value) (proto as Record<string, unknown>)[field] = value;
}

function writeGraph(graph: Graph): GraphProto {
  const origin = graph.origin as GraphProto | undefined;
  const infos = new Map(origin?.valueInfo.map((v) => [v.name, v]));
  const proto = create(GraphProtoSchema, {
    ...keep(origin),
    name: graph.name,
    node: graph.nodes.map(writeNode),
    input: graph.inputs.map(writeValueInfo),
    output: graph.outputs.map(writeValueInfo),
    initializer: [...graph.initializers].map(([name, tensor]) => writeTensor(name, tensor)),
    valueInfo: [
      ...(origin?.valueInfo.filter((v) => !readType(v.type)) ?? []),
      ...[...graph.types].map(([name, type]) => writeValueInfo({ name, type, origin: infos.get(name) })),
    ],
  } as never) as GraphProto;
  text(proto, "docString", graph.doc);
  return proto;
}

function writeNode(node: Node): NodeProto {
  const proto = create(NodeProtoSchema, {
    ...keep(node.origin),
    input: [...node.inputs],
    output: [...node.outputs],
    opType: node.op,
    attribute: [...node.attributes].map(([name, a]) => writeAttribute(name, a)),
  } as never) as NodeProto;
  text(proto, "name", node.name);
  text(proto, "docString", node.doc);
  const domain = (node.origin as NodeProto | undefined)?.domain;
  if (node.domain || (domain !== undefined && domain !== node.domain && domain !== "ai.onnx")) {
    proto.domain = node.domain;
  }
  return proto;
}

function writeAttribute(name: string, a: Attribute): AttributeProto {
  if (a.origin && a.kind !== "graph") return a.origin as AttributeProto;
  const p = create(AttributeProtoSchema, { ...keep(a.origin), name } as never) as AttributeProto;
  switch (a.kind) {
    case "int":
      p.type = AttributeType.INT;
      p.i = toInt64(a.value);
      break;
    case "float":
      p.type = AttributeType.FLOAT;
      p.f = a.value;
      break;
    case "string":
      p.type = AttributeType.STRING;
      p.s = utf8Bytes.encode(a.value) as never;
      break;
    case "ints":
      p.type = AttributeType.INTS;
      p.ints = a.value.map(toInt64);
      break;
    case "floats":
      p.type = AttributeType.FLOATS;
      p.floats = [...a.value];
      break;
    case "strings":
      p.type = AttributeType.STRINGS;
      p.strings = a.value.map((s) => utf8Bytes.encode(s)) as never;
      break;
    case "tensor":
      p.type = AttributeType.TENSOR;
      p.t = writeTensor("", a.value);
      break;
    case "graph":
      p.type = AttributeType.GRAPH;
      p.g = writeGraph(a.value);
      break;
    case "other":
      throw new ScconvError("unsupported", `attribute "${name}" cannot be written`);
  }
  return p;
}

const INT64 = 2n ** 63n;
function toInt64(value: number): bigint {
  const big = BigInt(value);
  return big >= INT64 ? INT64 - 1n : big < -INT64 ? -INT64 : big;
}

function writeTensor(name: string, tensor: Tensor): TensorProto {
  const origin = tensorOrigin.get(tensor);
  if (origin && origin.name === name) return origin;
  const proto = create(TensorProtoSchema, {
    dims: tensor.dims.map(BigInt),
    dataType: dtypes[tensor.dtype].code,
    rawData: tensor.bytes,
  } as never) as TensorProto;
  text(proto, "name", name);
  return proto;
}

function writeValueInfo(info: ValueInfo): ValueInfoProto {
  const origin = info.origin as ValueInfoProto | undefined;
  const proto = create(ValueInfoProtoSchema, { ...keep(origin), name: info.name } as never) as ValueInfoProto;
  text(proto, "docString", info.doc);
  if (info.type && !sameType(readType(origin?.type), info.type)) proto.type = writeType(info.type);
  return proto;
}

function sameType(a: TensorType | undefined, b: TensorType): boolean {
  const unnamed = (d: Dim | undefined) => (typeof d === "string" && d.startsWith("?") ? "?" : d);
  return (
    a?.dtype === b.dtype &&
    a.shape?.length === b.shape?.length &&
    (a.shape ?? []).every((d, i) => unnamed(d) === unnamed(b.shape?.[i]))
  );
}

function writeType({ dtype, shape }: TensorType): TypeProto {
  const dim = (d: Dim) =>
    typeof d === "number"
      ? { value: { case: "dimValue" as const, value: BigInt(d) } }
      : d.startsWith("?")
        ? {}
        : { value: { case: "dimParam" as const, value: d } };
  return create(TypeProtoSchema, {
    value: {
      case: "tensorType",
      value: { elemType: dtypes[dtype].code, ...(shape ? { shape: { dim: shape.map(dim) } } : {}) },
    },
  } as never) as TypeProto;
}
