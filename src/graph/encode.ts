import { create, type DescField, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { dtypes } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import { text, writeGraph } from "./encode-graph.js";
import { tensorParts } from "./encode-tensor.js";
import type { ExternalData } from "./external.js";
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
} from "./gen/onnx_pb.js";
import { inGigabytes } from "./infer-types.js";
import type { Model } from "./ir.js";
import { limits } from "./limits.js";

export interface EncodeOptions {
  /** Where the data of an initializer goes that is not to be in this file; undefined for one that is. */
  readonly external?: ((name: string, tensor: Tensor) => Required<ExternalData> | undefined) | undefined;
}

/** An ONNX file in pieces, in their order: bytes, and tensors whose bytes stand there. No weight is copied or read. */
export interface EncodedPieces {
  readonly pieces: readonly (Uint8Array | Tensor)[];
  /** Bytes of all together. */
  readonly length: number;
}

/** Writes an ONNX file; the bytes of weights are copied once, into the result. Throws `unsupported` above 2 GiB. */
export function encodeModel(model: Model, options?: EncodeOptions): Uint8Array {
  const { pieces, length } = encodePieces(model, options);
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    const bytes = piece instanceof Tensor ? piece.bytes : piece;
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/** The same as pieces, for a writer that takes one after the other. */
export function encodePieces(model: Model, { external }: EncodeOptions = {}): EncodedPieces {
  const { initializers } = model.graph;
  const weights = [...initializers].map(([name, t]) => tensorParts(name, t, external?.(name, t)));
  const inner = weights.map(({ head, raw }) => {
    const bytes = toBinary(TensorProtoSchema, head);
    return raw ? [bytes, header(TensorProtoSchema.field.rawData, byteLength(raw)), raw] : [bytes];
  });
  const graph = [
    toBinary(GraphProtoSchema, writeGraph(model.graph)),
    ...inner.flatMap((parts) => [header(GraphProtoSchema.field.initializer, total(parts)), ...parts]),
  ];
  // The graph comes last: a file that was cut off anywhere lacks it, or its end.
  const pieces = [
    toBinary(ModelProtoSchema, modelHead(model)),
    header(ModelProtoSchema.field.graph, total(graph)),
    ...graph,
  ];
  const length = total(pieces);
  if (length > limits.fileBytes) {
    throw new ScconvError("unsupported", "the model is too large for one file", {
      got: inGigabytes(length),
      need: `at most ${inGigabytes(limits.fileBytes)}`,
      hint: "write its weights to a file beside it (external data)",
    });
  }
  return { pieces, length };
}

type Piece = Uint8Array | Tensor;
const byteLength = (piece: Piece): number =>
  piece instanceof Tensor ? piece.size * dtypes[piece.dtype].bytes : piece.byteLength;
const total = (pieces: readonly Piece[]): number => pieces.reduce((sum, p) => sum + byteLength(p), 0);

/** What stands before a length-delimited field. Above 2³² it is no length any more; the file is refused then. */
const header = ({ number }: DescField, length: number): Uint8Array =>
  new BinaryWriter()
    .tag(number, WireType.LengthDelimited)
    .uint32(Math.min(length, 2 ** 32 - 1))
    .finish();

/** Everything but the graph. */
function modelHead(model: Model): ModelProto {
  const origin = model.origin as ModelProto | undefined;
  const opsets = [...model.graph.opsets].map(([domain, version]) =>
    create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
  );
  const known = new Map(origin?.metadataProps.map((p) => [p.key, p]));
  const metadata = [...model.metadata].map(([key, value]) => {
    const same = known.get(key);
    return same?.value === value ? same : create(StringStringEntryProtoSchema, { key, value });
  });
  const { graph: _, ...kept } = (model.origin ?? {}) as ModelProto;
  const proto = create(ModelProtoSchema, {
    ...kept,
    irVersion: BigInt(model.irVersion),
    producerName: model.producer.name,
    producerVersion: model.producer.version,
    metadataProps: metadata,
    opsetImport: sameOpsets(model) ?? opsets,
  } as never);
  text(proto, "docString", model.doc);
  return proto as ModelProto;
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
