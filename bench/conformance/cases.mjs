// Reads what export-cases.py wrote.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from "../../dist/graph/gen/onnx_pb.js";
import { decodeModel } from "../../dist/index.js";

export const readIndex = async (root) => JSON.parse(await readFile(join(root, "index.json"), "utf8"));

/** A TensorProto, read by our decoder: as the one initializer of a model. */
async function readTensor(path) {
  const initializer = fromBinary(TensorProtoSchema, await readFile(path));
  initializer.name = "value";
  const graph = create(GraphProtoSchema, { initializer: [initializer] });
  const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 10n, graph }));
  return decodeModel(bytes).graph.initializers.get("value");
}

/** The model's bytes and, for each data set, its tensors; undefined where an input or output is left out. */
export async function readCase(root, c) {
  const folder = join(root, c.folder);
  const tensors = (files) => Promise.all(files.map((f) => (f ? readTensor(join(folder, f)) : undefined)));
  return {
    bytes: await readFile(join(folder, "model.onnx")),
    sets: await Promise.all(
      c.sets.map(async (s) => ({ inputs: await tensors(s.inputs), outputs: await tensors(s.outputs) })),
    ),
  };
}

/** Two units in the last place, relative: the cases' tolerances are meant for float32. */
const coarse = { float16: 2 ** -9, bfloat16: 2 ** -6 };

/** |got − want| ≤ atol + rtol·|want|, as numpy's allclose; integers and truth values are equal. Undefined, or what differs. */
export function difference(got, want, { rtol, atol }) {
  if (!got) return "is missing";
  if (got.dtype !== want.dtype) return `is ${got.dtype}, expected ${want.dtype}`;
  if (got.dims.join() !== want.dims.join()) return `has shape [${got.dims}], expected [${want.dims}]`;
  const exact = /int|bool/.test(want.dtype);
  const relative = Math.max(rtol, coarse[want.dtype] ?? 0);
  const [a, b] = exact ? [got.data, want.data] : [got.numbers(), want.numbers()];
  for (let i = 0; i < b.length; i++) {
    if (a[i] === b[i] || (Number.isNaN(a[i]) && Number.isNaN(b[i]))) continue;
    if (!exact && Math.abs(a[i] - b[i]) <= atol + relative * Math.abs(b[i])) continue;
    return `element ${i} is ${a[i]}, expected ${b[i]}`;
  }
  return undefined;
}
