import { create } from "@bufbuild/protobuf";
import type { Dim } from "../base/dims.js";
import { dtypes } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { readType } from "./decode.js";
import { hasExternalData } from "./decode-tensor.js";
import { wholeTensor } from "./encode-tensor.js";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TypeProto,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./gen/onnx_pb.js";
import type { Attribute, Graph, Node, TensorType, ValueInfo } from "./ir.js";

const utf8Bytes = new TextEncoder();

/**
 * The fields of a message, unknown ones included, to be overridden where we model them. It says that it is a message, so
 * `create` takes it as it is: what overrides must be messages too, not plain objects.
 */
const keep = (origin: object | undefined): object => ({ ...(origin ?? {}) });

/** Sets an optional text field only where there is text: absence survives. */
export function text(proto: object, field: string, value: string | undefined): void {
  if (value) (proto as Record<string, unknown>)[field] = value;
}

/** Without its initializers. */
export function writeGraph(graph: Graph): GraphProto {
  const origin = graph.origin as GraphProto | undefined;
  const infos = new Map(origin?.valueInfo.map((v) => [v.name, v]));
  const proto = create(GraphProtoSchema, {
    ...keep(origin),
    name: graph.name,
    node: graph.nodes.map(writeNode),
    input: graph.inputs.map(writeValueInfo),
    output: graph.outputs.map(writeValueInfo),
    initializer: [],
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
  // Data that lay in another file comes into this one: the tensor is written anew.
  const moved = a.kind === "tensor" && hasExternalData(a.value);
  if (a.origin && a.kind !== "graph" && !moved) return a.origin as AttributeProto;
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
      p.t = wholeTensor("", a.value);
      break;
    case "graph":
      p.type = AttributeType.GRAPH;
      p.g = writeGraph(a.value);
      p.g.initializer = [...a.value.initializers].map(([n, t]) => wholeTensor(n, t));
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
