import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import { prepare } from "../../src/surgery/prepare.js";
import { bounded, cli, controls, hostileFolder, type Refusal, refusal } from "./refused.js";
import {
  concat,
  elsewhere,
  floats,
  graphAttr,
  initializer,
  input,
  int,
  int64s,
  intAttr,
  ints,
  join,
  len,
  modelOf,
  node,
  opset,
  output,
  type Part,
  raw,
  relu,
  type Size,
  stringAttr,
  tensor,
  tensorAttr,
} from "./wire.js";

const { refuses, at } = hostileFolder();
const invalid = refusal("invalid-graph");
const shape = refusal("shape");
const unsupported = refusal("unsupported");

describe("graphs that are none", () => {
  it.each<[string, Uint8Array, Refusal]>([
    [
      "a cycle",
      modelOf(input("x"), output("b"), node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])),
      invalid(/Add "a": the graph has a cycle/),
    ],
    [
      "a self-loop",
      modelOf(input("x"), output("y"), node("Add", ["x", "y"], ["y"])),
      invalid(/Add "y": the graph has a cycle/),
    ],
    [
      "a cycle through a sub-graph",
      modelOf(
        input("c", [], 9),
        output("y"),
        node("If", ["c"], ["y"], graphAttr("then_branch", node("Relu", ["y"], ["t"]), output("t"))),
      ),
      invalid(/If "y": the graph has a cycle/),
    ],
    [
      "one value made twice",
      modelOf(input("x"), output("y"), node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["y"])),
      invalid(/value "y" is made twice/),
    ],
    [
      "two inputs of one name",
      modelOf(input("x"), input("x"), output("y"), node("Relu", ["x"], ["y"])),
      invalid(/graph input: value "x" is made twice/),
    ],
    [
      "two initializers of one name",
      relu([floats("w", [1]), floats("w", [2])]),
      invalid(/two initializers have one name, got "w"/),
    ],
    [
      "two attributes of one name",
      relu([node("Flatten", ["y"], ["z"], intAttr("axis", 0), intAttr("axis", 1))]),
      invalid(/Flatten "z": two attributes have one name/),
    ],
    [
      "an input that nothing makes",
      modelOf(output("y"), node("Relu", ["nowhere"], ["y"])),
      invalid(/reads "nowhere", which nothing before it makes/),
    ],
    [
      "an output that nothing makes",
      modelOf(input("x"), output("z"), node("Relu", ["x"], ["y"])),
      invalid(/graph output "z" is made by nothing/),
    ],
    [
      "two versions of the operators",
      concat(relu(), opset(17)),
      invalid(/two versions of one operator set, got 18 and 17/),
    ],
    [
      "operators of the year 2⁶³",
      concat(int(1, 8), opset(2n ** 63n - 1n), len(7, input("x"), output("y"), node("Relu", ["x"], ["y"]))),
      invalid(/impossible version/),
    ],
    [
      "a version of the format of 2⁶³ − 1",
      concat(int(1, 2n ** 63n - 1n), opset(), len(7, input("x"), output("y"), node("Relu", ["x"], ["y"]))),
      invalid(/impossible version of the format/),
    ],
    [
      "no operator set",
      concat(int(1, 8), len(7, input("x"), output("y"), node("Relu", ["x"], ["y"]))),
      unsupported(/operator set 0 is too old/),
    ],
    [
      "a declared size beyond all numbers",
      modelOf(input("x", [2n ** 53n + 1n]), output("y"), node("Relu", ["x"], ["y"])),
      invalid(/impossible size.*9007199254740993/),
    ],
    [
      "an input of 4 TB",
      modelOf(input("x", [2 ** 40]), output("y"), node("Relu", ["x"], ["y"])),
      unsupported(/value "x": it needs more memory.*4400 GB/),
    ],
    [
      "a shape of 1,000 sizes",
      modelOf(input("x", new Array<number>(1000).fill(1)), output("y"), node("Relu", ["x"], ["y"])),
      invalid(/declared shape has too many dimensions/),
    ],
  ])("%s", (_, bytes, refusal) => refuses(bytes, refusal));

  it("nodes in any order are put into one that works", () => {
    const bytes = modelOf(
      input("x"),
      output("c"),
      node("Neg", ["b"], ["c"]),
      node("Abs", ["a"], ["b"]),
      node("Relu", ["x"], ["a"]),
    );
    expect(prepare(decodeModel(bytes).graph).nodes.map((n) => n.op)).toEqual(["Relu", "Abs", "Neg"]);
  });

  it(
    "a chain of 100,000 nodes is only long",
    () =>
      bounded(async () => {
        const links = Array.from({ length: 100_000 }, (_, i) =>
          node("Relu", [i === 0 ? "x" : `v${i - 1}`], [`v${i}`]),
        );
        await writeFile(at("chain.onnx"), modelOf(input("x"), output("v99999"), join(links)));
        const { status, stdout } = await cli(["inspect", at("chain.onnx"), "--json"]);
        expect(status).toBe(0);
        expect(JSON.parse(stdout).layers).toHaveLength(100_000);
      }, 20),
    600_000,
  );

  it(
    "a node of 200,000 inputs and 20,000 sub-graphs take no quadratic time",
    () =>
      bounded(() => {
        const many = Array.from({ length: 200_000 }, (_, i) => `v${i % 7}`);
        const first = Array.from({ length: 7 }, (_, i) => node("Relu", ["x"], [`v${i}`]));
        const branch = (name: string) => graphAttr(name, node("Relu", ["x"], ["t"]), output("t"));
        const branches = join([branch("then_branch"), branch("else_branch")]);
        const ifs = Array.from({ length: 10_000 }, (_, i) => node("If", ["c"], [`w${i}`], branches));
        const bytes = modelOf(
          input("x"),
          input("c", [], 9),
          output("y"),
          join([...first, ...ifs]),
          node("Concat", many, ["y"], intAttr("axis", 0)),
        );
        expect(prepare(decodeModel(bytes).graph).outputs[0]!.type?.shape).toEqual([400_000]);
      }, 20),
    600_000,
  );
});

describe("sizes that no machine has", () => {
  const bomb = (...parts: Part[]) => modelOf(input("x", [1, 1, 8, 8]), output("y"), ...parts);
  const large = /more memory than one value may have, need at most 8.59 GB, got/;
  const eight = (part: (i: number) => Part) => Array.from({ length: 8 }, (_, i) => part(i));
  it.each<[string, Uint8Array, Refusal]>([
    [
      "ConstantOfShape",
      bomb(int64s("s", [2 ** 40]), node("ConstantOfShape", ["s"], ["y"])),
      unsupported(large),
    ],
    [
      "ConstantOfShape, its shape by arithmetic",
      bomb(int64s("s", [2 ** 20]), node("Mul", ["s", "s"], ["t"]), node("ConstantOfShape", ["t"], ["y"])),
      unsupported(large),
    ],
    [
      "ConstantOfShape, its shape by a Constant",
      bomb(node("Constant", [], ["s"], ints("value_ints", [2 ** 40])), node("ConstantOfShape", ["s"], ["y"])),
      unsupported(large),
    ],
    [
      "ConstantOfShape, in a branch",
      modelOf(
        input("c", [], 9),
        output("y"),
        node(
          "If",
          ["c"],
          ["y"],
          graphAttr(
            "then_branch",
            int64s("s", [2 ** 40]),
            node("ConstantOfShape", ["s"], ["t"]),
            output("t"),
          ),
        ),
      ),
      unsupported(large),
    ],
    [
      "ConstantOfShape, below the bound and often",
      bomb(
        int64s("s", [2 ** 26]),
        ...eight((i) => node("ConstantOfShape", ["s"], [`t${i}`])),
        node("Relu", ["t7"], ["y"]),
      ),
      unsupported(/depends on constants alone needs too much memory, need at most 1.07 GB/),
    ],
    [
      "ConstantOfShape of a negative size",
      bomb(int64s("s", [-5]), node("ConstantOfShape", ["s"], ["y"])),
      shape(/size that cannot be, got -5/),
    ],
    [
      "ConstantOfShape of 100,000 dimensions",
      modelOf(input("s", [100_000], 7), output("y"), node("ConstantOfShape", ["s"], ["y"])),
      shape(/too many dimensions/),
    ],
    [
      "ConstantOfShape of 2⁴⁰ dimensions",
      modelOf(input("s", [2 ** 29], 7), output("y"), node("ConstantOfShape", ["s"], ["y"])),
      shape(/too many dimensions/),
    ],
    [
      "Expand",
      bomb(int64s("s", [2 ** 20, 2 ** 20, 8, 8]), node("Expand", ["x", "s"], ["y"])),
      unsupported(large),
    ],
    [
      "Expand to 2²⁹ dimensions",
      modelOf(input("x"), input("s", [2 ** 29], 7), output("y"), node("Expand", ["x", "s"], ["y"])),
      shape(/too many dimensions/),
    ],
    [
      "Tile",
      bomb(int64s("s", [2 ** 20, 2 ** 20, 1, 1]), node("Tile", ["x", "s"], ["y"])),
      unsupported(large),
    ],
    [
      "Tile by too few numbers",
      bomb(int64s("s", [2]), node("Tile", ["x", "s"], ["y"])),
      shape(/repeats cannot be, need 4 numbers, got 1/),
    ],
    [
      "Resize by scales",
      bomb(floats("s", [1, 1, 1e6, 1e6]), node("Resize", ["x", "", "s"], ["y"])),
      unsupported(large),
    ],
    [
      "Resize by an infinite scale",
      bomb(floats("s", [1, 1, Number.POSITIVE_INFINITY, 1]), node("Resize", ["x", "", "s"], ["y"])),
      shape(/size that cannot be/),
    ],
    [
      "Resize by sizes",
      bomb(int64s("s", [1, 1, 2 ** 20, 2 ** 20]), node("Resize", ["x", "", "", "s"], ["y"])),
      unsupported(large),
    ],
    [
      "Pad",
      bomb(int64s("s", [0, 0, 2 ** 20, 2 ** 20, 0, 0, 2 ** 20, 2 ** 20]), node("Pad", ["x", "s"], ["y"])),
      unsupported(large),
    ],
    [
      "Pad below nothing",
      bomb(int64s("s", [0, 0, -20, 0, 0, 0, 0, 0]), node("Pad", ["x", "s"], ["y"])),
      shape(/size that cannot be/),
    ],
    [
      "Range",
      bomb(
        int64s("a", [0], []),
        int64s("b", [2 ** 50], []),
        int64s("d", [1], []),
        node("Range", ["a", "b", "d"], ["y"]),
      ),
      unsupported(large),
    ],
    [
      "Range in steps of 0",
      bomb(
        int64s("a", [0], []),
        int64s("b", [9], []),
        int64s("d", [0], []),
        node("Range", ["a", "b", "d"], ["y"]),
      ),
      shape(/size that cannot be/),
    ],
    [
      "a convolution's padding",
      bomb(
        floats("w", [1], [1, 1, 1, 1]),
        node("Conv", ["x", "w"], ["y"], ints("pads", [2 ** 20, 2 ** 20, 2 ** 20, 2 ** 20])),
      ),
      unsupported(large),
    ],
    [
      "a table of all pairs",
      modelOf(
        input("x", [2 ** 17, 1]),
        input("z", [1, 2 ** 17]),
        output("y"),
        node("Add", ["x", "z"], ["y"]),
      ),
      unsupported(large),
    ],
  ])("%s", (_, bytes, refusal) => refuses(bytes, refusal));

  it("sizes by name that double with every node stay short", () =>
    bounded(() => {
      const doubling = Array.from({ length: 60 }, (_, i) =>
        node("Concat", [`v${i}`, `v${i}`], [`v${i + 1}`], intAttr("axis", 0)),
      );
      const bytes = modelOf(input("v0", ["N"]), output("v60"), ...doubling);
      expect(`${prepare(decodeModel(bytes).graph).outputs[0]!.type!.shape![0]}`.length).toBeLessThan(600);
    }));
});

describe("convolutions that contradict themselves", () => {
  const conv = (
    attributes: readonly Part[],
    weight: readonly number[] = [4, 3, 3, 3],
    x: readonly Size[] = ["N", 3, 8, 8],
  ) =>
    modelOf(
      input("x", x),
      output("y"),
      floats("w", new Array<number>(weight.reduce((a, d) => a * d, 1)).fill(1), weight),
      node("Conv", ["x", "w"], ["y"], ...attributes),
    );
  it.each<[string, Uint8Array, Refusal]>([
    [
      "kernel_shape against the weight",
      conv([ints("kernel_shape", [5, 5])]),
      shape(/kernel_shape contradicts the weight, need 3×3, got 5×5/),
    ],
    [
      "kernel_shape of another rank",
      conv([ints("kernel_shape", [3, 3, 3])]),
      shape(/kernel_shape contradicts the weight/),
    ],
    ["pads for another rank", conv([ints("pads", [1, 1])]), shape(/its pads cannot be, need 4 numbers/)],
    ["negative pads", conv([ints("pads", [-1, 0, 0, 0])]), shape(/its pads cannot be/)],
    ["a stride of 0", conv([ints("strides", [0, 1])]), shape(/its strides cannot be.*from 1 on/)],
    [
      "strides for another rank",
      conv([ints("strides", [1])]),
      shape(/its strides cannot be, need 2 numbers/),
    ],
    ["a dilation of −1", conv([ints("dilations", [-1, 1])]), shape(/its dilations cannot be/)],
    ["a stride of 2⁶³ − 1", conv([ints("strides", [2n ** 63n - 1n, 1])]), shape(/its strides cannot be/)],
    ["group 0", conv([intAttr("group", 0)]), shape(/its group cannot be, need 1 or more, got 0/)],
    ["group −1", conv([intAttr("group", -1)]), shape(/its group cannot be/)],
    [
      "a group that does not divide the outputs",
      conv([intAttr("group", 3)], [4, 1, 3, 3]),
      shape(/not a multiple of group/),
    ],
    [
      "channels that do not fit",
      conv([], [4, 2, 3, 3]),
      shape(/weight expects 2 input channels per group, got 3/),
    ],
    [
      "a window larger than the image",
      conv([], [4, 3, 9, 9]),
      shape(/window is larger than the padded input/),
    ],
    ["an image without height", conv([], [4, 3, 3, 3], ["N", 3, 8]), shape(/ranks do not fit/)],
    ["a padding rule that there is not", conv([stringAttr("auto_pad", "DIAGONAL")]), shape(/auto_pad/)],
    [
      "no weight",
      modelOf(input("x", ["N", 3, 8, 8]), output("y"), node("Conv", ["x"], ["y"])),
      { code: "shape", says: /Conv "y"/ },
    ],
    [
      "pooling without a kernel",
      modelOf(input("x", ["N", 3, 8, 8]), output("y"), node("MaxPool", ["x"], ["y"])),
      shape(/kernel_shape/),
    ],
  ])("%s", (_, bytes, refusal) => refuses(bytes, refusal));

  it("pads beside another padding rule have no meaning, as in the engine", () => {
    const ruled = (...more: Part[]) =>
      prepare(decodeModel(conv([stringAttr("auto_pad", "SAME_UPPER"), ...more])).graph).outputs[0]!.type!
        .shape;
    expect(ruled(ints("pads", [3, 3, 3, 3]))).toEqual(ruled());
  });
});

describe("names", () => {
  const hostile = [
    "__proto__",
    "constructor",
    "a\u0000b",
    "\u202egnp.exe",
    "\u001b[2J\u001b]0;owned\u0007",
    "<script>alert(1)</script>",
    "a\r\nscconv: done",
    "\u009b31m",
    "\u2028",
    "%s%n",
    "\u{e0041}",
  ];
  it.each(hostile.map((n) => [JSON.stringify(n), n]))(
    "%s goes round as it is, and never reaches a terminal",
    async (_, name) => {
      const bytes = modelOf(
        input(name, ["N", 2]),
        output("y"),
        len(5, tensor(`${name}.w`, [2, 2], 1, raw(16))),
        node("MatMul", [name, `${name}.w`], ["y"], len(3, name)),
      );
      const model = decodeModel(bytes);
      expect(model.graph.inputs[0]!.name).toBe(name);
      const again = decodeModel(encodeModel({ ...model, graph: prepare(model.graph) }));
      expect(again.graph.nodes[0]!.name).toBe(name);
      expect(again.graph.initializers.has(`${name}.w`)).toBe(true);
      expect(Object.getPrototypeOf({})).toBe(Object.prototype);
      await writeFile(at("named.onnx"), bytes);
      for (const args of [
        ["inspect", at("named.onnx"), "--all"],
        ["swap", at("named.onnx"), "--dry-run"],
        ["inspect", at("named.onnx"), "--json"],
      ]) {
        const { stdout, stderr } = await cli(args);
        expect(stdout).not.toMatch(controls);
        expect(stderr).not.toMatch(controls);
      }
      const { stdout } = await cli(["inspect", at("named.onnx"), "--json"]);
      expect(JSON.parse(stdout).layers[0].name).toBe(name);
    },
  );
});

describe("data that is said to lie elsewhere, where only the engine would look", () => {
  const sparse = concat(
    len(1, tensor("w", [1], 1, elsewhere("w.bin"))),
    len(2, tensor("i", [1], 7, raw(8))),
    int(3, 1),
  );
  const held = len(5, len(1, "value"), len(5, tensor("w", [1], 1, elsewhere("w.bin"))), int(20, 4));
  it.each<[string, Uint8Array]>([
    ["a sparse initializer", relu([len(15, sparse)])],
    [
      "a sparse attribute",
      relu([node("Constant", [], ["k"], len(5, len(1, "sparse_value"), len(22, sparse), int(20, 11)))]),
    ],
    [
      "a list of tensors",
      relu([
        node(
          "Acme",
          ["x"],
          ["k"],
          len(5, len(1, "list"), len(10, tensor("w", [1], 1, elsewhere("w.bin"))), int(20, 9)),
        ),
      ]),
    ],
    [
      "a function",
      concat(
        relu(),
        len(
          25,
          len(1, "f"),
          len(10, "acme"),
          node("Constant", [], ["k"], held).slice(0, 0),
          len(7, len(2, "k"), len(4, "Constant"), held),
        ),
      ),
    ],
    ["training", concat(relu(), len(20, len(1, len(5, tensor("w", [1], 1, elsewhere("w.bin"))))))],
    [
      "a tensor of texts in an attribute",
      relu([node("Constant", [], ["k"], tensorAttr("value", tensor("w", [1], 8, elsewhere("w.bin"))))]),
    ],
  ])("%s", (_, bytes) => refuses(bytes, unsupported(/external data in a place that is not read/)));

  it("an initializer of texts", () =>
    refuses(relu([initializer("w", [1], 8, elsewhere("w.bin"))]), unsupported(/element type number 8/)));
});
