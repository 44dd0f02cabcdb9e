import { existsSync, readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DType, dtypes } from "../../src/base/dtype.js";
import { ScconvError } from "../../src/base/errors.js";
import { Tensor } from "../../src/base/tensor.js";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
} from "../../src/graph/gen/onnx_pb.js";
import type { Attribute, Graph, Model, Node } from "../../src/graph/ir.js";
import { graphBuilder } from "../../src/ops/index.js";

const shared = "../shared/models/resnet20_cifar10.onnx";
if (!existsSync(shared)) console.warn(`skipped: ${shared} is not here`);

function smallModel(): Model {
  const b = graphBuilder({ name: "small" });
  const x = b.input("x", "float32", ["N", 2]);
  const w = b.parameter("w", Tensor.from("float32", [2, 3], [1, 2, 3, 4, 5, 6]));
  b.output(b.add("Relu", [b.add("MatMul", [x, w], {}, { name: "fc" })]), "y");
  return {
    graph: { ...b.build(), doc: "a graph" },
    irVersion: 8,
    producer: { name: "test", version: "1" },
    metadata: new Map([["note", "kept"]]),
    doc: "a model",
  };
}

/** What a graph says, without where it came from. */
function plain(graph: Graph): unknown {
  const attribute = (a: Attribute): unknown =>
    a.kind === "graph" ? plain(a.value) : a.kind === "tensor" ? tensor(a.value) : a.value;
  const tensor = (t: Tensor) => ({ dtype: t.dtype, dims: [...t.dims], bytes: [...t.bytes] });
  const info = (v: Graph["inputs"][number]) => ({ name: v.name, type: v.type, doc: v.doc });
  return {
    name: graph.name,
    doc: graph.doc,
    nodes: graph.nodes.map((n) => ({
      op: n.op,
      domain: n.domain,
      name: n.name,
      doc: n.doc,
      inputs: [...n.inputs],
      outputs: [...n.outputs],
      attributes: [...n.attributes].map(([k, a]) => [k, a.kind, attribute(a)]),
    })),
    inputs: graph.inputs.map(info),
    outputs: graph.outputs.map(info),
    initializers: [...graph.initializers].map(([n, t]) => [n, tensor(t)]),
    types: [...graph.types],
    opsets: [...graph.opsets],
  };
}

const said = (m: Model) => ({
  graph: plain(m.graph),
  irVersion: m.irVersion,
  producer: m.producer,
  metadata: [...m.metadata],
  doc: m.doc,
});

describe("a round trip", () => {
  it("loses nothing of what a builder made", () => {
    const model = smallModel();
    expect(said(decodeModel(encodeModel(model)))).toEqual(said(model));
  });

  it.skipIf(!existsSync(shared))(
    `gives back another framework's file byte for byte${existsSync(shared) ? "" : ` (skipped: ${shared} is not here)`}`,
    () => {
      const bytes = new Uint8Array(readFileSync(shared));
      const again = encodeModel(decodeModel(bytes));
      // Field order is the writer's choice; both in ours they must be the same bytes.
      const canonical = (b: Uint8Array) => toBinary(ModelProtoSchema, fromBinary(ModelProtoSchema, b));
      expect(Buffer.compare(canonical(again), canonical(bytes))).toBe(0);
      expect(Buffer.compare(encodeModel(decodeModel(again)), again)).toBe(0);
    },
  );

  it("keeps fields that no schema of ours knows, at every level", () => {
    const proto = fromBinary(ModelProtoSchema, encodeModel(smallModel()));
    const unknown = (text: string) => [
      { no: 1999, wireType: 2, data: Uint8Array.from([text.length, ...Buffer.from(text)]) },
    ];
    const { graph } = proto;
    proto.$unknown = unknown("model");
    graph!.$unknown = unknown("graph");
    graph!.node[0]!.$unknown = unknown("node");
    graph!.initializer[0]!.$unknown = unknown("tensor");
    graph!.input[0]!.$unknown = unknown("input");
    graph!.quantizationAnnotation = [
      { $typeName: "onnx.TensorAnnotation", tensorName: "w", quantParameterTensorNames: [] },
    ];
    const again = fromBinary(ModelProtoSchema, encodeModel(decodeModel(toBinary(ModelProtoSchema, proto))));
    const texts = [
      again,
      again.graph,
      again.graph!.node[0],
      again.graph!.initializer[0],
      again.graph!.input[0],
    ].map((m) => m?.$unknown?.map((u) => Buffer.from(u.data.subarray(1)).toString()));
    expect(texts).toEqual([["model"], ["graph"], ["node"], ["tensor"], ["input"]]);
    expect(again.graph!.quantizationAnnotation[0]!.tensorName).toBe("w");
  });

  it("keeps them on nodes and weights that a rewrite leaves alone", () => {
    const proto = fromBinary(ModelProtoSchema, encodeModel(smallModel()));
    proto.graph!.node[0]!.$unknown = [{ no: 1999, wireType: 0, data: Uint8Array.of(7) }];
    const model = decodeModel(toBinary(ModelProtoSchema, proto));
    const nodes = model.graph.nodes.map((n, i): Node => (i === 1 ? { ...n, op: "Sigmoid" } : n));
    const again = fromBinary(ModelProtoSchema, encodeModel({ ...model, graph: { ...model.graph, nodes } }));
    expect(again.graph!.node.map((n) => [n.opType, n.$unknown?.length ?? 0])).toEqual([
      ["MatMul", 1],
      ["Sigmoid", 0],
      ["Identity", 0],
    ]);
  });

  const name = fc.string({ minLength: 1, maxLength: 8, unit: "binary" });
  const attribute: fc.Arbitrary<Attribute> = fc.oneof(
    fc.record({ kind: fc.constant("int" as const), value: fc.maxSafeInteger() }),
    fc.record({
      kind: fc.constant("float" as const),
      value: fc.float({ noNaN: true }),
    }),
    fc.record({ kind: fc.constant("string" as const), value: fc.string() }),
    fc.record({ kind: fc.constant("ints" as const), value: fc.array(fc.maxSafeInteger(), { minLength: 1 }) }),
    fc.record({ kind: fc.constant("strings" as const), value: fc.array(fc.string(), { minLength: 1 }) }),
  );
  const tensor = fc
    .tuple(fc.constantFrom(...(Object.keys(dtypes) as DType[])), fc.array(fc.nat(3), { maxLength: 3 }))
    .chain(([dtype, dims]) => {
      const n = dims.reduce((a, d) => a * d, 1) * dtypes[dtype].bytes;
      return fc.uint8Array({ minLength: n, maxLength: n }).map((bytes) => Tensor.ofBytes(dtype, dims, bytes));
    });
  const optionalText = fc.option(fc.string({ minLength: 1 }), { nil: undefined });

  it("loses nothing of any graph", () => {
    const model = fc
      .record({
        names: fc.uniqueArray(name, { minLength: 2, maxLength: 8 }),
        ops: fc.array(name, { maxLength: 5 }),
        attributes: fc.array(fc.tuple(name, attribute), { maxLength: 4 }),
        weights: fc.array(tensor, { maxLength: 3 }),
        docs: fc.tuple(optionalText, optionalText, optionalText),
        metadata: fc.array(fc.tuple(name, fc.string()), { maxLength: 3 }),
        opset: fc.integer({ min: 1, max: 30 }),
        domain: fc.constantFrom("", "acme", "com.microsoft"),
        shape: fc.array(fc.oneof(fc.nat(9), fc.constantFrom("N", "(H+1)/2")), { maxLength: 4 }),
      })
      .map(({ names, ops, attributes, weights, docs, metadata, opset, domain, shape }): Model => {
        const [input, ...rest] = names as [string, ...string[]];
        const made = ops.map((_, i) => `${input}.${i}`);
        return {
          graph: {
            name: input,
            nodes: ops.map((op, i) => ({
              op,
              domain,
              name: `node ${i}`,
              inputs: i === 0 ? [input, "", input] : [made[i - 1]!],
              outputs: [made[i]!],
              attributes: new Map(attributes),
              doc: docs[0],
            })),
            inputs: [{ name: input, type: { dtype: "float32", shape }, doc: docs[1] }],
            outputs: [{ name: made.at(-1) ?? input, type: { dtype: "int64", shape: undefined } }],
            initializers: new Map(weights.map((t, i) => [rest[i % rest.length]!, t])),
            types: new Map(made.slice(0, -1).map((n) => [n, { dtype: "float16", shape }])),
            opsets: new Map([
              ["", opset],
              ["acme", 3],
            ]),
            doc: docs[2],
          },
          irVersion: 8,
          producer: { name: "fc", version: "1" },
          metadata: new Map(metadata),
          doc: docs[0],
        };
      });
    fc.assert(
      fc.property(model, (m) => {
        const once = decodeModel(encodeModel(m));
        expect(said(once)).toEqual(said(m));
        // Once more, from what was read: the messages behind it travel along.
        expect(said(decodeModel(encodeModel(once)))).toEqual(said(m));
      }),
      { numRuns: 200, seed: 5 },
    );
  });
});

describe("weights", () => {
  it("are views of the file's bytes", () => {
    const bytes = encodeModel(smallModel());
    const w = decodeModel(bytes).graph.initializers.get("w")!;
    expect(w.bytes.buffer).toBe(bytes.buffer);
    expect(Array.from(w.numbers())).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("are read from a Buffer at any alignment", () => {
    const bytes = encodeModel(smallModel());
    for (let shift = 0; shift < 4; shift++) {
      const buffer = Buffer.concat([Buffer.alloc(shift), bytes]).subarray(shift);
      expect(Array.from(decodeModel(buffer).graph.initializers.get("w")!.numbers())).toEqual([
        1, 2, 3, 4, 5, 6,
      ]);
    }
  });

  it("are read from typed fields", () => {
    const proto = fromBinary(ModelProtoSchema, encodeModel(smallModel()));
    const typed = (fields: object) => create(TensorProtoSchema, { dims: [2n], ...fields } as never);
    proto.graph!.initializer.push(
      typed({ name: "f", dataType: 1, floatData: [0.5, -1] }),
      typed({ name: "i", dataType: 7, int64Data: [-3n, 2n ** 40n] }),
      typed({ name: "h", dataType: 10, int32Data: [0x3c00, 0xc000] }),
      typed({ name: "b", dataType: 9, int32Data: [1, 0] }),
      typed({ name: "d", dataType: 11, doubleData: [1.5, 2] }),
    );
    const { initializers } = decodeModel(toBinary(ModelProtoSchema, proto)).graph;
    const numbers = (n: string) => Array.from(initializers.get(n)!.numbers());
    expect(["f", "i", "h", "b", "d"].map(numbers)).toEqual([
      [0.5, -1],
      [-3, 2 ** 40],
      [1, -2],
      [1, 0],
      [1.5, 2],
    ]);
  });

  it.each([
    ["too few bytes", { dims: [3n], dataType: 1, rawData: new Uint8Array(8) }],
    ["negative dimensions", { dims: [-1n], dataType: 1 }],
    ["dimensions beyond all bounds", { dims: [2n ** 40n, 2n ** 40n], dataType: 1 }],
    ["text", { dims: [1n], dataType: 8, stringData: [Uint8Array.of(65)] }],
    ["data in another file", { dims: [1n], dataType: 1, dataLocation: 1 }],
  ])("are refused with %s", (_what, fields) => {
    const proto = create(ModelProtoSchema, {
      irVersion: 8n,
      graph: create(GraphProtoSchema, {
        initializer: [create(TensorProtoSchema, { name: "w", ...fields } as never)],
      } as never),
    } as never);
    expect(() => decodeModel(toBinary(ModelProtoSchema, proto), "m.onnx")).toThrow(/m\.onnx.*tensor "w"/);
  });
});

describe("what is no ONNX file", () => {
  const good = encodeModel(smallModel());
  const text = (s: string) => new TextEncoder().encode(s);
  it.each([
    ["nothing", new Uint8Array(0), /empty/],
    ["text", text("import torch\nprint(1)\n"), /text file/],
    ["a web page", text("<!DOCTYPE html><html>404</html>"), /web page/],
    ["a zip archive", Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0), /zip archive/],
    [
      "an LFS pointer",
      text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
      /git lfs pull/i,
    ],
    ["a PNG", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0), /PNG/],
    ["a truncated file", good.subarray(0, good.length - 9), /damaged or truncated/],
    ["zeros", new Uint8Array(64), /damaged/],
  ])("%s is refused, and says what it is", (_what, bytes, message) => {
    try {
      decodeModel(bytes, "m.onnx");
    } catch (error) {
      expect(error).toBeInstanceOf(ScconvError);
      expect((error as ScconvError).code).toBe("not-an-onnx-file");
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).toMatch(/^m\.onnx: /);
      return;
    }
    expect.unreachable();
  });

  it("garbage never throws anything but a ScconvError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(good.length - 1), (noise, at) => {
        const bent = good.slice();
        bent.set(noise.subarray(0, bent.length - at), at);
        for (const bytes of [noise, bent, good.subarray(0, at)]) {
          try {
            decodeModel(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(ScconvError);
          }
        }
      }),
      { numRuns: 500, seed: 11 },
    );
  });

  it("a tower of sub-graphs is refused before the stack ends", () => {
    let graph = create(GraphProtoSchema, { name: "inner" } as never);
    for (let i = 0; i < 80; i++) {
      const node = create(NodeProtoSchema, {
        opType: "If",
        output: [`o${i}`],
        attribute: [create(AttributeProtoSchema, { name: "then_branch", type: 5, g: graph } as never)],
      } as never);
      graph = create(GraphProtoSchema, { node: [node] } as never);
    }
    const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, graph } as never));
    expect(() => decodeModel(bytes)).toThrow(ScconvError);
  });
});
