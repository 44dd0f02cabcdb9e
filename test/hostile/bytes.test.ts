import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ScconvError } from "../../src/base/errors.js";
import { Random } from "../../src/base/random.js";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import { ModelProtoSchema } from "../../src/graph/gen/onnx_pb.js";
import { upgrade } from "../../src/ops/upgrade.js";
import { exercise } from "./exercise.js";
import { bounded, hostileFolder, type Refusal, refusal } from "./refused.js";
import { smallModel } from "./small-model.js";
import {
  concat,
  initializer,
  input,
  int,
  len,
  modelOf,
  node,
  opset,
  output,
  type Part,
  raw,
  relu,
  tag,
  tensor,
  varint,
} from "./wire.js";

const { refuses } = hostileFolder();
const text = (s: string) => new TextEncoder().encode(s);
const damaged = refusal("not-an-onnx-file");
const invalid = refusal("invalid-graph");
const tooMuch = refusal("unsupported");

describe("what is no ONNX file", () => {
  it.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(0), /the file is empty/],
    ["one byte", Uint8Array.of(8), /damaged or truncated: a number that does not end at byte 1/],
    ["text", text("import torch\n"), /it is a text file/],
    ["HTML", text("<!DOCTYPE html><html><body>404</body></html>"), /it is a web page/],
    ["a zip archive", Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0), /it is a zip archive/],
    ["a PNG", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0), /it is a PNG image/],
    ["safetensors", concat(Uint8Array.of(64, 0, 0, 0, 0, 0, 0, 0), '{"w":{}}'), /it is a safetensors file/],
    [
      "a Git LFS pointer",
      text("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
      /git lfs pull/,
    ],
    ["zeros", new Uint8Array(4096), /damaged or truncated/],
  ])("%s", (_, bytes, says) => refuses(bytes, damaged(says)));
});

describe("a valid model that was damaged", () => {
  const ours = smallModel();
  const ordered = toBinary(ModelProtoSchema, fromBinary(ModelProtoSchema, ours));

  it("is refused when it ends at any byte before its last", () =>
    bounded(() => {
      for (let end = 0; end < ours.length; end++) {
        expect(() => decodeModel(ours.subarray(0, end)), `cut at ${end}`).toThrowError(
          expect.objectContaining({ code: "not-an-onnx-file" }) as Error,
        );
      }
    }));

  it("as others write it, with the graph before the operator sets, is refused up to its metadata", () =>
    bounded(() => {
      const note = len(14, len(1, "note"), len(2, "kept")).length;
      const accepted: number[] = [];
      for (let end = 0; end < ordered.length; end++) {
        try {
          upgrade(decodeModel(ordered.subarray(0, end)).graph);
          accepted.push(end);
        } catch (error) {
          expect(error).toBeInstanceOf(ScconvError);
        }
      }
      // There the file is whole, but for what nobody can know to be missing.
      expect(accepted).toEqual([ordered.length - note]);
    }));

  it("gives an error of ours or a graph, over 10,000 random flips of bits", () => {
    const random = new Random(5);
    let refused = 0;
    for (let i = 0; i < 10_000; i++) {
      const bytes = ours.slice();
      for (let k = random.int(4); k >= 0; k--) bytes[random.int(bytes.length)]! ^= 1 << random.int(8);
      try {
        exercise(bytes);
      } catch (error) {
        if (!(error instanceof ScconvError)) throw new Error(`flip ${i}`, { cause: error });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(2_000);
    expect(refused).toBeLessThan(10_000);
  });
});

describe("numbers and lengths of the wire format", () => {
  const longName = (length: Uint8Array) => modelOf(concat(tag(2, 2), length, "abcd"));
  it.each<[string, Uint8Array, Refusal]>([
    [
      "a number of 11 bytes",
      concat(tag(1, 0), new Uint8Array(10).fill(0x80), Uint8Array.of(0)),
      damaged(/more than 10 bytes/),
    ],
    ["a tag of 6 bytes", concat(varint(1 * 8, 6), varint(8)), damaged(/no field/)],
    ["field number 0", concat(int(1, 8), Uint8Array.of(0, 0)), damaged(/no field/)],
    ["a length in 6 bytes", longName(varint(4, 6)), damaged(/GraphProto.name says that it has 4 bytes/)],
    ["a length of 2³² + 4", longName(varint(2n ** 32n + 4n)), damaged(/4294967300 bytes, and 4 are left/)],
    ["a length of 2⁶³", longName(varint(2n ** 63n)), damaged(/says that it has 9223372036854776000 bytes/)],
    [
      "a length one beyond the parent",
      modelOf(concat(tag(2, 2), varint(5), "abcd")),
      damaged(/5 bytes, and 4 are left/),
    ],
    [
      "a message that reads on in its parent",
      concat(int(1, 8), tag(7, 2), varint(2), tag(1, 2), varint(3), "abc"),
      damaged(/GraphProto.node/),
    ],
    [
      "packed numbers that run over",
      relu([initializer("w", [1], 6, concat(tag(5, 2), varint(1), Uint8Array.of(0x80)))]),
      damaged(/int32_data has a number that does not end/),
    ],
    [
      "packed floats of three bytes",
      relu([initializer("w", [1], 1, len(4, new Uint8Array(3)))]),
      damaged(/no whole number/),
    ],
    [
      "text where a number belongs",
      concat(len(1, "8"), opset(), len(7, "")),
      damaged(/ir_version has wire type 2/),
    ],
    [
      "groups, 10,000 deep",
      concat(
        int(1, 8),
        new Uint8Array(10_000).fill(tag(9, 3)[0]!),
        new Uint8Array(10_000).fill(tag(9, 4)[0]!),
      ),
      damaged(/group, of which ONNX has none/),
    ],
    ["two graphs", concat(relu(), len(7, "")), damaged(/ModelProto.graph is there twice/)],
    [
      "two element types",
      relu([initializer("w", [1], 1, int(2, 7), raw(4))]),
      damaged(/data_type is there twice/),
    ],
    [
      "two raw payloads",
      relu([initializer("w", [1], 1, raw(4), raw(4))]),
      damaged(/raw_data is there twice/),
    ],
    ["a name of 1 MB", relu([], "n".repeat(2 ** 20)), tooMuch(/a name .*at most 65536 bytes, got 1048576/)],
    [
      "17 million numbers outside raw_data",
      relu([initializer("w", [17_000_000], 7, len(7, new Uint8Array(17_000_000)))]),
      tooMuch(/numbers outside raw_data/),
    ],
    [
      "two million nodes of two bytes",
      modelOf(Buffer.alloc(2 ** 22, Buffer.from([10, 0]))),
      tooMuch(/nodes, need at most 1048576/),
    ],
    [
      "five million unknown fields",
      concat(relu(), Buffer.alloc(10_000_000, Buffer.from([0x78, 0]))),
      tooMuch(/messages/),
    ],
  ])("%s", (_, bytes, refusal) => refuses(bytes, refusal));

  it("sub-graphs, 1,000 deep", async () => {
    let graph: Uint8Array = node("Relu", ["x"], ["deep"]);
    for (let i = 0; i < 1000; i++) {
      graph = len(
        1,
        len(1, "c"),
        len(2, `y${i}`),
        len(4, "If"),
        len(5, len(1, "then_branch"), len(6, graph), int(20, 5)),
      );
    }
    await refuses(
      modelOf(input("c", [], 9), graph),
      tooMuch(/messages inside messages, need at most 100 deep/),
    );
  });

  it("numbers longer than they need to be, packed or each by itself, are read as what they say", () => {
    const numbers = (...fields: Part[]) =>
      Array.from(
        decodeModel(relu([initializer("w", [3], 6, ...fields)]))
          .graph.initializers.get("w")!
          .numbers(),
      );
    expect(numbers(len(5, varint(1), varint(300), varint(2)))).toEqual([1, 300, 2]);
    expect(numbers(int(5, 1), int(5, 300), int(5, 2))).toEqual([1, 300, 2]);
    expect(numbers(len(5, varint(1)), int(5, 300), len(5, varint(2, 10)))).toEqual([1, 300, 2]);
  });
});

describe("data against dimensions", () => {
  const weight = (dims: readonly (number | bigint)[], ...fields: Part[]) =>
    relu([initializer("w", dims, 1, ...fields)]);
  it.each<[string, Uint8Array, Refusal]>([
    [
      "raw and typed data together",
      weight([1], raw(4), len(4, new Uint8Array(4))),
      invalid(/more than once, got raw_data and float_data/),
    ],
    [
      "typed data of another type",
      weight([1], len(5, varint(1))),
      invalid(/need 4 bytes for float32\[1\], got 0/),
    ],
    ["too little", weight([3], raw(8)), invalid(/need 12 bytes.*got 8/)],
    ["too much", weight([1], raw(8)), invalid(/need 4 bytes.*got 8/)],
    ["none", weight([2]), invalid(/need 8 bytes.*got 0/)],
    ["a negative dimension", weight([-1], raw(4)), invalid(/impossible dimensions, got -1/)],
    ["a dimension of 0 with data", weight([0], raw(4)), invalid(/need 0 bytes.*got 4/)],
    ["2⁵³ + 1", weight([2n ** 53n + 1n], raw(4)), invalid(/impossible dimensions, got 9007199254740993/)],
    ["2⁶³ − 1 beside a 0", weight([2n ** 63n - 1n, 0]), invalid(/impossible dimensions/)],
    [
      "a product beyond all numbers",
      weight([2 ** 31, 2 ** 31, 2 ** 31], raw(4)),
      invalid(/impossible dimensions/),
    ],
    [
      "a product that overflows to 4 bytes",
      weight([2 ** 32, 2 ** 32, 1], raw(4)),
      invalid(/impossible dimensions/),
    ],
    ["1 TB on 4 bytes", weight([2 ** 38], raw(4)), invalid(/need 1099511627776 bytes.*got 4/)],
    [
      "1,000 dimensions",
      weight(new Array<number>(1000).fill(1), raw(4)),
      invalid(/too many dimensions, need at most 64/),
    ],
    [
      "an element type that there is not",
      relu([initializer("w", [1], 99, raw(4))]),
      tooMuch(/element type number 99/),
    ],
    [
      "the same inside an attribute",
      modelOf(
        output("y"),
        node(
          "Constant",
          [],
          ["y"],
          len(5, len(1, "value"), len(5, tensor("", [2 ** 38], 1, raw(4))), int(20, 4)),
        ),
      ),
      invalid(/Constant "y": tensor "": .*1099511627776 bytes/),
    ],
  ])("%s", (_, bytes, refusal) => refuses(bytes, refusal));

  it("a dimension of 0 without data is a tensor of nothing", () => {
    expect(decodeModel(weight([0, 3])).graph.initializers.get("w")!.size).toBe(0);
  });
});

it("what passes is what was meant: the undamaged model goes round", () => {
  expect(exercise(smallModel()).nodes.length).toBeGreaterThan(5);
  expect(Buffer.compare(encodeModel(decodeModel(smallModel())), smallModel())).toBe(0);
});
