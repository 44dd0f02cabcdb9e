import { create } from "@bufbuild/protobuf";
import { dtypes } from "../base/dtype.js";
import type { Tensor } from "../base/tensor.js";
import { isExternal, tensorOrigin } from "./decode-tensor.js";
import type { ExternalData } from "./external.js";
import {
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from "./gen/onnx_pb.js";

/** A tensor's message without its `raw_data`, and what that is; undefined where the message holds its data itself. */
export interface TensorParts {
  readonly head: TensorProto;
  readonly raw: Tensor | undefined;
}

/**
 * What is untouched is written back as it was read, documentation and unknown fields included, but for data that lay in
 * another file: that is written into this one, or goes to `place`.
 */
export function tensorParts(name: string, tensor: Tensor, place?: Required<ExternalData>): TensorParts {
  const origin = tensorOrigin.get(tensor);
  const typed = origin && !isExternal(origin) && origin.rawData.byteLength === 0;
  if (typed && !place && origin.name === name) return { head: origin, raw: undefined };
  const head = create(TensorProtoSchema, {
    dims: tensor.dims.map(BigInt),
    dataType: dtypes[tensor.dtype].code,
    metadataProps: origin?.metadataProps ?? [],
  });
  if (name) head.name = name;
  if (origin?.docString) head.docString = origin.docString;
  if (origin?.$unknown) head.$unknown = origin.$unknown;
  if (!place) return { head, raw: tensor };
  const { location, offset, length } = place;
  head.dataLocation = TensorProto_DataLocation.EXTERNAL;
  head.externalData = Object.entries({ location, offset: `${offset}`, length: `${length}` }).map(
    ([key, value]) => create(StringStringEntryProtoSchema, { key, value }),
  );
  return { head, raw: undefined };
}

/** The whole message, data included: for tensors inside attributes. */
export function wholeTensor(name: string, tensor: Tensor): TensorProto {
  const { head, raw } = tensorParts(name, tensor);
  if (raw) head.rawData = raw.bytes as Uint8Array<ArrayBuffer>;
  return head;
}
