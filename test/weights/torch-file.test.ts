import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/base/tensor.js";
import { decodeWeights } from "../../src/weights/decode-weights.js";
import { fixture } from "./fixtures.js";
import { dict, pickle, tensor, torchZip, zip } from "./pickling.js";

const numbers = (t: Tensor | undefined) => t && Array.from(t.numbers());
const range = (n: number, from = 0) => Array.from({ length: n }, (_, i) => from + i);

describe("files of torch.save", () => {
  it("are read, every layout and element type", async () => {
    const { tensors, format, under } = await decodeWeights(fixture("layouts.pt"), "layouts.pt");
    expect({ format, under }).toEqual({ format: "torch", under: "" });
    const all = Object.fromEntries([...tensors].map(([n, t]) => [n, [t.dtype, t.dims, numbers(t)]]));
    expect(all).toEqual({
      contiguous: ["float32", [2, 3, 4], range(24)],
      transposed: ["float32", [6, 4], range(24).map((i) => Math.floor(i / 4) + 6 * (i % 4))],
      slice: ["float32", [2, 3], [6, 8, 10, 12, 14, 16]],
      offset: ["float32", [4], [5, 6, 7, 8]],
      channels_last: ["float32", [2, 3, 2, 4], range(48)],
      expanded: ["float32", [3, 1], [0, 1, 2]],
      scalar: ["float32", [], [2.5]],
      empty: ["float32", [0, 3], []],
      parameter: ["float32", [2], [1, 1]],
      float16: ["float16", [3], [1.5, -2, 65504]],
      bfloat16: ["bfloat16", [3], [1.5, -2, Math.fround(3.00405527e38)]],
      float64: ["float64", [2], [1.5, 0.1]],
      int64: ["int64", [2], [2 ** 40, -1]],
      int32: ["int32", [2], [7, -7]],
      int16: ["int16", [2], [300, -300]],
      int8: ["int8", [1], [-8]],
      uint8: ["uint8", [1], [200]],
      uint16: ["uint16", [1], [60000]],
      bool: ["bool", [2], [1, 0]],
    });
  });

  it("are read alike in pickle protocol 4, and from under a checkpoint's key", async () => {
    const plain = (t: ReadonlyMap<string, Tensor>) => [...t].map(([n, v]) => [n, v.dims, numbers(v)]);
    const want = plain((await decodeWeights(fixture("tiny.pt"), "tiny.pt")).tensors);
    expect(want.map(([n]) => n)).toEqual([
      ...["conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"],
      ...["bn1.num_batches_tracked", "fc.weight", "fc.bias"],
    ]);
    expect(plain((await decodeWeights(fixture("protocol4.pt"), "f")).tensors)).toEqual(want);
    const checkpoint = await decodeWeights(fixture("checkpoint.pt"), "f");
    expect(checkpoint.under).toBe("model");
    expect(plain(checkpoint.tensors)).toEqual(want.map(([n, ...rest]) => [`module.${n}`, ...rest]));
  });

  it("share a storage without a copy of it for each", async () => {
    const { tensors } = await decodeWeights(fixture("layouts.pt"), "layouts.pt");
    const [whole, part] = [tensors.get("contiguous")!.bytes, tensors.get("offset")!.bytes];
    expect(part.buffer).toBe(whole.buffer);
    expect(part.byteOffset - whole.byteOffset).toBe(5 * 4);
  });

  it.each([
    ["code.pt", /code\.pt: "posix\.system" in the pickle would run code/, "bad-input"],
    ["module.pt", /"__main__\.Tiny" in the pickle would run code.*model\.state_dict\(\)/, "bad-input"],
    ["legacy.pt", /torch before 1\.6.*weights_only=True/, "unsupported"],
    ["complex.pt", /tensor "w": elements of type complex64/, "unsupported"],
  ])("%s is refused", async (name, message, code) => {
    const read = decodeWeights(fixture(name), name);
    await expect(read).rejects.toThrowError(message);
    await expect(read).rejects.toMatchObject({ code });
    expect(existsSync("/tmp/scconv-was-here")).toBe(false);
  });

  it("are refused or read, never a crash, cut off anywhere or with a byte changed", async () => {
    const good = fixture("tiny.pt");
    const outcome = async (bytes: Uint8Array) => {
      try {
        await decodeWeights(bytes, "file");
        return "read";
      } catch (error) {
        expect(error).toMatchObject({ name: "ScconvError" });
        return "refused";
      }
    };
    // Primes, so that all kinds of places come up; the pickle's own bytes are all tried in pickle.test.ts.
    for (let n = 0; n < good.length; n += 41) {
      expect(await outcome(good.subarray(0, n)), `first ${n} bytes`).toBe("refused");
    }
    for (let at = 0; at < good.length; at += 37) {
      const bytes = Uint8Array.from(good);
      bytes[at]! ^= 0xff;
      await outcome(bytes);
    }
  });
});

describe("an archive", () => {
  const good = pickle(dict([["w", tensor()]]));
  const refusal = async (bytes: Promise<Uint8Array> | Uint8Array) =>
    decodeWeights(await bytes, "net.pt").then(
      () => "read",
      (error: Error) => error.message,
    );

  it("is read as the test writes it", async () => {
    const { tensors } = await decodeWeights(await torchZip(good), "net.pt");
    expect(numbers(tensors.get("w"))).toEqual([1, 2]);
  });

  it.each<[string, () => Promise<Uint8Array>, RegExp]>([
    [
      "with names that lead out of it",
      () => torchZip(good, [{ name: "../../etc/passwd", bytes: "x" }]),
      /refused: unsafe filename/,
    ],
    [
      "of compressed files",
      () => torchZip(good, [{ name: "archive/bomb", bytes: "0".repeat(1e6), level: 9 }]),
      /"archive\/bomb" in the zip archive is compressed/,
    ],
    ["without a pickle", () => zip([{ name: "a/readme", bytes: "x" }]), /need one data\.pkl, got 0/],
    [
      "with two pickles",
      () => torchZip(good, [{ name: "other/data.pkl", bytes: good }]),
      /need one data\.pkl, got 2/,
    ],
    [
      "of TorchScript",
      () => torchZip(good, [{ name: "archive/constants.pkl", bytes: good }]),
      /TorchScript archive/,
    ],
    [
      "of a big-endian machine",
      () =>
        zip([
          { name: "a/data.pkl", bytes: good },
          { name: "a/byteorder", bytes: "big" },
        ]),
      /not little-endian/,
    ],
    [
      "without the storage",
      () => zip([{ name: "a/data.pkl", bytes: good }]),
      /storage "0" is not in the file/,
    ],
  ])("%s is refused", async (_, bytes, message) => {
    expect(await refusal(bytes())).toMatch(message);
  });

  it("whose checksum does not hold is refused", async () => {
    const bytes = Uint8Array.from(await torchZip(good));
    const at = Buffer.from(bytes).indexOf(Buffer.from(new Float32Array([1, 2]).buffer));
    bytes[at]! ^= 1;
    expect(await refusal(bytes)).toMatch(/zip archive is refused/);
  });

  it("whose files lie over one another is refused", async () => {
    const two = pickle(
      dict([
        ["v", tensor()],
        ["w", tensor({ key: "1" })],
      ]),
    );
    const bytes = Buffer.from(await torchZip(two, [{ name: "archive/data/1", bytes: "12345678" }]));
    expect(await refusal(bytes)).toBe("read");
    // Both central records are pointed at the first storage.
    const record = (name: string) => bytes.lastIndexOf(name) - 46;
    bytes.writeUInt32LE(bytes.readUInt32LE(record("archive/data/0") + 42), record("archive/data/1") + 42);
    expect(await refusal(bytes)).toMatch(/zip archive is refused/);
  });

  it("that says its files are larger than it is, is refused", async () => {
    const bytes = Buffer.from(await torchZip(good));
    const record = bytes.lastIndexOf("archive/data/0") - 46;
    bytes.writeUInt32LE(2 ** 31, record + 20);
    bytes.writeUInt32LE(2 ** 31, record + 24);
    expect(await refusal(bytes)).not.toBe("read");
  });
});
