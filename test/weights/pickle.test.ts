import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeWeights } from "../../src/weights/decode-weights.js";
import { unpickle } from "../../src/weights/pickle.js";
import { torchGlobals, torchStorage } from "../../src/weights/torch-globals.js";
import {
  call,
  code,
  dict,
  global,
  int,
  persistent,
  pickle,
  tensor,
  text,
  torchZip,
  tuple,
} from "./pickling.js";

const refusal = async (data: Uint8Array): Promise<string> => {
  try {
    await decodeWeights(await torchZip(data), "net.pt");
  } catch (error) {
    expect(error).toMatchObject({ name: "ScconvError" });
    return (error as Error).message;
  }
  return "read";
};

const command = text("touch /tmp/scconv-was-here");
const beside = (value: number[]) =>
  pickle(
    dict([
      ["w", tensor()],
      ["evil", value],
    ]),
  );
const stackGlobal = (module: string, name: string) => [...text(module), ...text(name), 0x93];

describe("a pickle that would run code is refused by name", () => {
  it.each<[string, Uint8Array, string]>([
    ["os.system", beside(call(global("posix", "system"), command)), "posix.system"],
    ["on Windows", beside(call(global("nt", "system"), command)), "nt.system"],
    ["eval", beside(call(global("builtins", "eval"), command)), "builtins.eval"],
    ["Python 2's eval", beside(call(global("__builtin__", "eval"), command)), "__builtin__.eval"],
    ["named, never called", beside(global("subprocess", "Popen")), "subprocess.Popen"],
    ["by STACK_GLOBAL", beside(call(stackGlobal("builtins", "exec"), command)), "builtins.exec"],
    ["by STACK_GLOBAL, parts of a name", beside(stackGlobal("torch", "hub.load")), "torch.hub.load"],
    ["by INST", beside(code("(iposix\nsystem\n")), "posix.system"],
    ["inside a tensor", pickle(dict([["w", tensor({ storage: global("os", "system") })]])), "os.system"],
    [
      "in the dictionary's state",
      pickle(dict([["w", tensor()]]), global("os", "popen"), code("b")),
      "os.popen",
    ],
    [
      "torch's own loader",
      beside(global("torch.storage", "_load_from_bytes")),
      "torch.storage._load_from_bytes",
    ],
    ["torch's own module", beside(global("torch.nn.modules.conv", "Conv2d")), "torch.nn.modules.conv.Conv2d"],
    ["getattr", beside(global("builtins", "getattr")), "builtins.getattr"],
    ["a name of the table's prototype", beside(global("__proto__", "constructor")), "__proto__.constructor"],
    [
      "a name as the table writes it, split otherwise",
      beside(global("torch._utils._rebuild", "x")),
      "torch._utils._rebuild.x",
    ],
  ])("%s", async (_, data, name) => {
    expect(await refusal(data)).toContain(`net.pt: "${name}" in the pickle would run code`);
  });

  it("with control characters in its name shows them as escapes", async () => {
    expect(await refusal(beside(global("evil\u001b[2J", "x")))).toContain('"evil\\u001b[2J.x"');
  });
});

describe("a pickle that makes no sense is refused", () => {
  const last = (...parts: number[][]) => pickle(dict([["w", tensor()]]), ...parts);
  it.each<[string, Uint8Array, RegExp]>([
    ["an opcode of other pickles", last(code("0")), /opcode POP at byte \d+/],
    ["an object by NEWOBJ", last(code(")\x81")), /opcode NEWOBJ/],
    ["an extension of copyreg", last([0x82, 1]), /opcode EXT1/],
    ["an opcode that there is not", last([0xff]), /opcode 0xff/],
    ["protocol 0", Uint8Array.from([...code("(dp0\n."), 0]), /opcode DICT/],
    ["protocol 9", Uint8Array.from([0x80, 9]), /protocol 9/],
    ["nothing", new Uint8Array(0), /cut short at byte 0/],
    ["a value that is not there", pickle(code("h\x05")), /refers to value 5/],
    ["a tuple of nothing", pickle(code("\x86")), /nobody gave/],
    ["a value from below the mark", pickle(int(1), code("(\x85")), /nobody gave/],
    ["no mark", pickle(code("t")), /nobody gave/],
    ["marks without end", pickle(code("(".repeat(2000))), /nests too deeply/],
    ["a call of text", pickle(text("f"), code(")R")), /calls what is no function/],
    ["a call of a class", pickle(global("torch", "FloatStorage"), code(")R")), /calls what is no function/],
    [
      "a call without a tuple",
      pickle(global("torch", "Size"), int(1), code("R")),
      /calls what is no function/,
    ],
    ["entries of a list", pickle(code("]"), int(1), int(2), code("s")), /what is no dictionary/],
    ["an odd number of entries", pickle(code("}("), int(1), code("u")), /what is no dictionary/],
    ["items of a dictionary", pickle(code("}"), int(1), code("a")), /what is no list/],
    ["attributes of a tensor", pickle(tensor(), code("}b")), /attributes of what is no dictionary/],
    ["text that is not UTF-8", pickle([0x58, 1, 0, 0, 0, 0xff]), /not UTF-8/],
    ["text of 4 GB", pickle([0x58, 255, 255, 255, 255]), /cut short/],
    ["a module's name without end", pickle(code("c"), code("x".repeat(5000))), /cut short/],
    ["a persistent id of text", pickle(text("x"), code("Q")), /no storage of a tensor/],
    ["a persistent id of another kind", pickle(tuple(text("module"), text("x")), code("Q")), /no storage/],
    ["a storage of no class", pickle(persistent({ storage: text("torch.FloatStorage") })), /no storage/],
    ["a storage of a function", pickle(persistent({ storage: global("torch", "Size") })), /no storage/],
    ["a storage of negative length", pickle(persistent({ length: -1 })), /has no length, got -1/],
    ["no state dict: a number", pickle(int(3)), /no tensors by name.*got something else/],
    ["no state dict: a tensor", pickle(tensor()), /got a tensor alone/],
    ["no state dict: other things", pickle(dict([["lr", int(1)]])), /got keys lr/],
    ["a dictionary that holds itself", pickle(code("}q\x00"), text("model"), code("h\x00s")), /no tensors/],
  ])("%s", async (_, data, message) => {
    expect(await refusal(data)).toMatch(message);
  });
});

describe("any pickle", () => {
  const rules = { where: "net.pt", globals: torchGlobals, persistent: torchStorage };
  const outcome = (bytes: Uint8Array) => {
    try {
      return unpickle(bytes, rules) === undefined ? "nothing" : "read";
    } catch (error) {
      expect(error).toMatchObject({ name: "ScconvError", code: "bad-input" });
      return "refused";
    }
  };
  const good = pickle(
    dict([
      ["w", tensor()],
      ["n", tuple(int(-5), [0x8a, 2, 0, 128], [0x88], code("N"))],
    ]),
  );

  it("cut short at any byte is refused", () => {
    expect(outcome(good)).toBe("read");
    for (let n = 0; n < good.length; n++) expect(outcome(good.subarray(0, n)), `${n} bytes`).toBe("refused");
  });

  it("with any byte changed to any other is read or refused", () => {
    for (let at = 0; at < good.length; at++) {
      for (let to = 0; to < 256; to++) outcome(good.with(at, to));
    }
  });

  it("of random opcodes is read or refused", () => {
    const opcode = fc.oneof(
      fc.constantFrom(...code("(.)]}ausetbqhQRNJKMGX\x85\x86\x87\x88\x94\x93")),
      fc.integer({ min: 0, max: 255 }),
    );
    const known = [...torchGlobals.keys()].map((name) => {
      const at = name.lastIndexOf(".");
      return global(name.slice(0, at), name.slice(at + 1));
    });
    const part = fc.oneof(
      opcode.map((o) => [o]),
      fc.constantFrom(...known),
      fc.constant(persistent()),
    );
    const property = fc.property(
      fc.array(part, { maxLength: 40 }),
      (parts) => void outcome(pickle(...parts)),
    );
    fc.assert(property, { numRuns: 3000, seed: 5 });
  });
});

describe("a tensor", () => {
  it.each<[string, Parameters<typeof tensor>[0], RegExp]>([
    ["longer than its storage", { dims: [3] }, /tensor "w": it reaches beyond its storage.*need 2 elements/],
    ["that starts behind its end", { offset: 1 }, /beyond its storage/],
    ["whose steps lead out", { dims: [2], strides: [2] }, /beyond its storage/],
    ["of one element, repeated without end", { dims: [1 << 30], strides: [0] }, /beyond its storage/],
    [
      "of more elements than there are numbers",
      { dims: Array(16).fill(2 ** 31 - 1), strides: Array(16).fill(0) },
      /beyond/,
    ],
    ["of negative size", { dims: [-2] }, /a tensor that is none/],
    ["of negative steps", { strides: [-1] }, /a tensor that is none/],
    ["with other sizes than steps", { dims: [1, 2] }, /a tensor that is none/],
    ["of another file", { key: "../../0" }, /storage "\.\.\/\.\.\/0" is not in the file/],
    ["whose storage is shorter than said", { length: 3 }, /wrong size, need 12 bytes, got 8/],
    [
      "whose storage is of another type",
      { storage: global("torch", "DoubleStorage") },
      /need 16 bytes, got 8/,
    ],
  ])("%s is refused", async (_, parts, message) => {
    expect(await refusal(pickle(dict([["w", tensor(parts)]])))).toMatch(message);
  });

  it("may be empty, whatever its other sizes", async () => {
    const { tensors } = await decodeWeights(
      await torchZip(pickle(dict([["w", tensor({ dims: [0, 7], strides: [7, 1], offset: 9 })]]))),
      "f",
    );
    expect(tensors.get("w")).toMatchObject({ dims: [0, 7] });
  });
});
