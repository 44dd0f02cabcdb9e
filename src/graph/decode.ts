import { fromBinary } from "@bufbuild/protobuf";
import { type Dim, unknownDim } from "../base/dims.js";
import { dtypeOfCode } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { isExternal, readTensor } from "./decode-tensor.js";
import type { ExternalReader } from "./external.js";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  type TypeProto,
  type TypeProto_Tensor,
  type ValueInfoProto,
} from "./gen/onnx_pb.js";
import {
  type Attribute,
  type Graph,
  type Model,
  type Node,
  nodeLabel,
  type TensorType,
  type ValueInfo,
} from "./ir.js";
import { limits } from "./limits.js";
import { topological } from "./walk.js";
import { checkWire, type WireCounts } from "./wire.js";

/*
 * ONNX bytes ↔ Model. Weights stay views of the file's bytes. What we do not model (unknown fields, quantisation
 * annotations, functions, training info …) stays in the protobuf message that a thing came from, `origin`, and is written
 * back with it.
 */

const utf8 = new TextDecoder();

export interface DecodeOptions {
  /** How to come by data that lies in other files; without it they are refused. */
  readonly external?: ExternalReader | undefined;
}

/**
 * Reads an ONNX file. Throws `not-an-onnx-file` with a clear reason when it is none, `invalid-graph` or `unsupported` when
 * it is one that cannot be taken (see `limits.ts`).
 */
export function decodeModel(bytes: Uint8Array, where = "model", { external }: DecodeOptions = {}): Model {
  try {
    return readModelProto(bytes, external);
  } catch (error) {
    if (!(error instanceof ScconvError)) throw error;
    const hint =
      error.code === "not-an-onnx-file"
        ? "export the model again, or check that it was copied whole"
        : undefined;
    throw new ScconvError(error.code, error.message, { where, hint, cause: error });
  }
}

function readModelProto(bytes: Uint8Array, external: ExternalReader | undefined): Model {
  let proto: ModelProto;
  let counts: WireCounts;
  try {
    counts = checkWire(bytes, ModelProtoSchema);
    proto = fromBinary(ModelProtoSchema, bytes, { recursionLimit: limits.depth + 1 });
  } catch (cause) {
    if (cause instanceof ScconvError && cause.code !== "not-an-onnx-file") throw cause;
    const what = looksLike(bytes) ?? (cause instanceof ScconvError ? cause.message : "the bytes are damaged");
    throw new ScconvError("not-an-onnx-file", `not a readable ONNX model: ${what}`, { cause });
  }
  if (!proto.graph || proto.irVersion === 0n) {
    const what = looksLike(bytes) ?? "the bytes are damaged or truncated: there is no graph, or no version";
    throw new ScconvError("not-an-onnx-file", `not an ONNX model: ${what}`);
  }
  if (proto.irVersion < 0n || proto.irVersion > 2n ** 31n) {
    throw new ScconvError("invalid-graph", "impossible version of the format", { got: `${proto.irVersion}` });
  }
  const reading: Reading = { opsets: readOpsets(proto), external, externals: 0 };
  const graph = readGraph(proto.graph, reading);
  // What only the engine would see (functions, sparse tensors, training) must not lead it to files that nobody checked.
  if (reading.externals !== counts.externals) {
    throw new ScconvError("unsupported", "external data in a place that is not read", {
      need: "external data of initializers and attributes only",
      got: `${counts.externals - reading.externals} elsewhere`,
    });
  }
  return {
    graph,
    irVersion: Number(proto.irVersion),
    producer: { name: proto.producerName, version: proto.producerVersion },
    metadata: new Map(proto.metadataProps.map((p) => [p.key, p.value])),
    doc: proto.docString || undefined,
    origin: { ...proto, graph: undefined },
  };
}

/** What goes along while a file is read. */
interface Reading {
  readonly opsets: ReadonlyMap<string, number>;
  readonly external: ExternalReader | undefined;
  /** Tensors with external data so far. */
  externals: number;
}

function readOpsets({ opsetImport }: ModelProto): Map<string, number> {
  const opsets = new Map<string, number>();
  for (const { domain, version } of opsetImport) {
    const name = domain === "ai.onnx" ? "" : domain;
    const number = Number(version);
    const known = opsets.get(name);
    const label = `operator set "${name || "ai.onnx"}"`;
    if (!Number.isSafeInteger(number) || number < 0) {
      throw new ScconvError("invalid-graph", "impossible version", { where: label, got: `${version}` });
    }
    if (known !== undefined && known !== number) {
      throw new ScconvError("invalid-graph", "two versions of one operator set", {
        where: label,
        got: `${known} and ${number}`,
      });
    }
    opsets.set(name, number);
  }
  return opsets;
}

/** What a file is that is no model, where its beginning tells. */
function looksLike(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return "the file is empty";
  const head = utf8.decode(bytes.subarray(0, 512));
  if (head.startsWith("version https://git-lfs")) return "it is a Git LFS pointer (run git lfs pull)";
  if (head.startsWith("PK\u0003\u0004")) return "it is a zip archive (a PyTorch checkpoint?)";
  if (bytes[8] === 0x7b && bytes.subarray(4, 8).every((b) => b === 0)) return "it is a safetensors file";
  if (head.startsWith("\u0089PNG") || head.includes("PNG\r\n")) return "it is a PNG image";
  if (/^\s*<(!doctype|html|\?xml)/i.test(head)) return "it is a web page";
  if (/^[\t\n\r\u0020-\u007e]+$/.test(head)) return "it is a text file";
  return undefined;
}

/** A map from distinct names; a name that comes twice is an error. */
function byName<P extends { readonly name: string }, T>(
  protos: readonly P[],
  what: string,
  read: (proto: P) => T,
): Map<string, T> {
  const map = new Map<string, T>();
  for (const proto of protos) {
    if (map.has(proto.name)) {
      throw new ScconvError("invalid-graph", `two ${what} have one name`, { got: `"${proto.name}"` });
    }
    map.set(proto.name, read(proto));
  }
  return map;
}

function readGraph(proto: GraphProto, reading: Reading): Graph {
  const types = new Map<string, TensorType>();
  for (const info of proto.valueInfo) {
    const type = readType(info.type);
    if (type) types.set(info.name, type);
  }
  return {
    name: proto.name,
    nodes: topological(proto.node.map((n) => readNode(n, reading))),
    inputs: proto.input.map(readValueInfo),
    outputs: proto.output.map(readValueInfo),
    initializers: byName(proto.initializer, "initializers", (t) => readOneTensor(t, reading)),
    types,
    opsets: reading.opsets,
    doc: proto.docString || undefined,
    // What is read above is not held twice.
    origin: { ...proto, node: [], initializer: [], valueInfo: proto.valueInfo.filter(infoSaysMore) },
  };
}

function readOneTensor(proto: TensorProto, reading: Reading) {
  if (isExternal(proto)) reading.externals++;
  return readTensor(proto, reading.external);
}

const none: ReadonlyMap<string, Attribute> = new Map();

/** Whether a node has more than what we model: long graphs take half the memory without what was read. */
const saysMore = (proto: NodeProto): boolean =>
  proto.$unknown !== undefined ||
  Object.hasOwn(proto, "domain") ||
  Object.hasOwn(proto, "overload") ||
  proto.metadataProps.length > 0 ||
  proto.deviceConfigurations.length > 0;

/** Whether more is said of a value than its type as we hold it. */
function infoSaysMore({ $unknown, docString, metadataProps, type }: ValueInfoProto): boolean {
  if ($unknown || docString !== "" || metadataProps.length > 0) return true;
  if (!type || !readType(type) || type.$unknown || type.denotation !== "") return true;
  const tensor = type.value.value as TypeProto_Tensor;
  if (tensor.$unknown || tensor.shape?.$unknown) return true;
  return tensor.shape?.dim.some((d) => d.$unknown !== undefined || d.denotation !== "") ?? false;
}

function readNode(proto: NodeProto, reading: Reading): Node {
  const node = {
    op: proto.opType,
    domain: proto.domain === "ai.onnx" ? "" : proto.domain,
    name: proto.name,
    inputs: proto.input,
    outputs: proto.output,
    doc: proto.docString || undefined,
    ...(saysMore(proto) ? { origin: proto } : {}),
  };
  if (proto.attribute.length === 0) return { ...node, attributes: none };
  try {
    return { ...node, attributes: byName(proto.attribute, "attributes", (a) => readAttribute(a, reading)) };
  } catch (error) {
    if (!(error instanceof ScconvError)) throw error;
    const where = nodeLabel({ ...node, attributes: new Map() });
    throw new ScconvError(error.code, error.message, { where, cause: error });
  }
}

function readAttribute(a: AttributeProto, reading: Reading): Attribute {
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
      if (a.t && dtypeOfCode(a.t.dataType))
        return { kind: "tensor", value: readOneTensor(a.t, reading), origin };
      break;
    case AttributeType.GRAPH:
      if (a.g) return { kind: "graph", value: readGraph(a.g, reading), origin };
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
  const dims = shape?.dim;
  if (dims && dims.length > limits.rank) {
    throw new ScconvError("invalid-graph", "a declared shape has too many dimensions", {
      need: `at most ${limits.rank}`,
      got: `${dims.length}`,
    });
  }
  return {
    dtype,
    shape: dims?.map(({ value }): Dim => {
      if (value.case === "dimValue") return readSize(value.value);
      // Names that begin with ? are ours, for sizes that nobody named.
      return value.case === "dimParam" && /^[^?]/.test(value.value) ? value.value : unknownDim();
    }),
  };
}

/** Some exporters write −1 for a size that is open. */
function readSize(value: bigint): Dim {
  if (value < 0n) return unknownDim();
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ScconvError("invalid-graph", "impossible size in a declared shape", { got: `${value}` });
  }
  return Number(value);
}
