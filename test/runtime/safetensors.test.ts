import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dtypes } from "../../src/base/dtype.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/runtime/safetensors.js";

const names = fc.string({ unit: "binary", minLength: 0, maxLength: 12 }).filter((n) => n !== "__metadata__");
const tensors = fc
  .record({
    dtype: fc.constantFrom(...(Object.keys(dtypes) as (keyof typeof dtypes)[])),
    dims: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    seed: fc.integer({ min: 0, max: 255 }),
  })
  .map(({ dtype, dims, seed }) => {
    const bytes = new Uint8Array(sizeOf(dims) * dtypes[dtype].bytes).map((_, i) => (i * 37 + seed) & 255);
    return Tensor.ofBytes(dtype, dims, bytes);
  });
const plain = (map: ReadonlyMap<string, Tensor>) =>
  [...map].map(([name, t]) => [name, t.dtype, t.dims, [...t.bytes]]).sort();

describe("safetensors", () => {
  it("come back as they were written: names, types, shapes, bytes, metadata", () => {
    const files = fc.tuple(
      fc.uniqueArray(fc.tuple(names, tensors), { selector: ([n]) => n, maxLength: 6 }),
      fc.uniqueArray(fc.tuple(names, fc.string()), { selector: ([n]) => n, maxLength: 3 }),
    );
    const property = fc.property(files, ([entries, notes]) => {
      const written = encodeSafetensors(new Map(entries), new Map(notes));
      const read = decodeSafetensors(written, "file");
      expect(plain(read.tensors)).toEqual(plain(new Map(entries)));
      expect([...read.metadata].sort()).toEqual([...notes].sort());
    });
    fc.assert(property, { numRuns: 200, seed: 11 });
  });

  it("have a body at a multiple of eight, whatever stands before it", () => {
    for (let n = 0; n < 9; n++) {
      const bytes = encodeSafetensors(new Map([["x".repeat(n), Tensor.scalar("float64", 7)]]));
      expect((bytes.length - 8) % 8).toBe(0);
      expect(decodeSafetensors(bytes, "file").tensors.get("x".repeat(n))!.data[0]).toBe(7);
    }
  });

  it("are views of the file, wherever that lies in memory", () => {
    const bytes = encodeSafetensors(new Map([["x", Tensor.from("float32", [2], [1, 2])]]));
    for (let shift = 0; shift < 4; shift++) {
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      const x = decodeSafetensors(moved.subarray(shift), "file").tensors.get("x")!;
      expect([...(x.numbers() as Float32Array)]).toEqual([1, 2]);
      expect(x.bytes.buffer).toBe(moved.buffer);
    }
  });

  it("are read as the format's own documentation writes them", () => {
    const json =
      '{"a":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},"b":{"dtype":"I64","shape":[],"data_offsets":[4,12]}}';
    const bytes = file(json, [0x00, 0x3c, 0x00, 0xc0, 5, 0, 0, 0, 0, 0, 0, 0]);
    const { tensors: read } = decodeSafetensors(bytes, "file");
    expect([...(read.get("a")!.numbers() as Float64Array)]).toEqual([1, -2]);
    expect(read.get("b")!.numbers()[0]).toBe(5);
  });
});

function file(json: string, body: readonly number[] = [], length = Buffer.byteLength(json)): Uint8Array {
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(length));
  return Uint8Array.from(Buffer.concat([head, Buffer.from(json), Uint8Array.from(body)]));
}

const entry = (more: object) =>
  JSON.stringify({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...more } });

const two = (offsets: readonly [number, number]) =>
  JSON.stringify({ ...JSON.parse(entry({})), v: { dtype: "F32", shape: [2], data_offsets: offsets } });

describe("a file that is none", () => {
  const eight = [1, 2, 3, 4, 5, 6, 7, 8];
  it.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(0), /too short, got 0 bytes/],
    ["seven bytes", new Uint8Array(7), /too short, got 7 bytes/],
    ["header longer than the file", file("{}", [], 500), /header is longer than the file, got 500/],
    ["header of 2⁶³ bytes", file("{}", [], 2 ** 53), /header is longer/],
    ["header cut off", file(entry({})).subarray(0, 20), /header is longer/],
    ["not JSON", file("{nonsense"), /header is not JSON/],
    ["not UTF-8", Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]), /header is not JSON/],
    ["a list", file("[1, 2]", eight), /header is not/],
    ["null", file("null", eight), /header is not/],
    ["a number for a tensor", file('{"w": 3}', eight), /tensor "w"/],
    ["null for a tensor", file('{"w": null}', eight), /tensor "w"/],
    ["null for the metadata", file('{"__metadata__": null}', eight), /metadata/],
    ["an unknown type", file(entry({ dtype: "F8_E4M3" }), eight), /"w" has an unknown.*got F8_E4M3/],
    ["a type called toString", file(entry({ dtype: "toString" }), eight), /unknown element type/],
    ["a negative size", file(entry({ shape: [-2] }), eight), /"w" does not fit its data/],
    ["a fractional size", file(entry({ shape: [0.5, 4] }), eight), /"w" does not fit its data/],
    ["no shape", file(entry({ shape: undefined }), eight), /"w" does not fit its data/],
    ["sizes beyond 2⁵³", file(entry({ shape: [2 ** 40, 2 ** 40] }), eight), /"w" does not fit its data/],
    ["offsets of another length", file(entry({ data_offsets: [0, 4] }), eight), /"w" does not fit its data/],
    ["offsets beyond the end", file(entry({ data_offsets: [4, 12] }), eight), /"w" does not fit its data/],
    ["offsets the wrong way round", file(entry({ data_offsets: [8, 0] }), eight), /"w" does not fit/],
    [
      "a gap before the first",
      file(entry({ data_offsets: [8, 16] }), [...eight, ...eight]),
      /gap before tensor "w"/,
    ],
    ["bytes behind the last", file(entry({}), [...eight, 0]), /more behind the last tensor, got 1 bytes/],
    [
      "two tensors over one another",
      file(two([4, 12]), [...eight, 0, 0, 0, 0]),
      /tensor "v" lies over another/,
    ],
    ["two tensors in one place", file(two([0, 8]), eight), /lies over another/],
    [
      "a name twice",
      file(`${entry({}).slice(0, -1)},"w":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}`, eight),
      /names "w" twice/,
    ],
    [
      "a name twice, written otherwise",
      file(`${entry({}).slice(0, -1)},"\\u0077" : 3}`, eight),
      /names "w" twice/,
    ],
    ["three offsets", file(entry({ data_offsets: [0, 8, 8] }), eight), /"w" does not fit its data/],
  ])("%s", (_, bytes, message) => {
    const read = () => decodeSafetensors(bytes, "net.safetensors");
    expect(read).toThrowError(message);
    expect(read).toThrowError(/^net\.safetensors: not a valid safetensors file/);
    expect(read).toThrowError(expect.objectContaining({ code: "bad-input" }));
  });

  it("is never a crash: any change of one byte is read or refused", () => {
    const good = encodeSafetensors(
      new Map([["w", Tensor.from("float32", [2], [1, 2])]]),
      new Map([["k", "v"]]),
    );
    for (let at = 0; at < good.length; at++)
      for (const to of [0, 1, 34, 91, 123, 125, 255]) {
        const bytes = Uint8Array.from(good);
        bytes[at] = to;
        try {
          decodeSafetensors(bytes, "file");
        } catch (error) {
          expect(error, `byte ${at} = ${to}`).toMatchObject({ name: "ScconvError", code: "bad-input" });
        }
      }
  });
});
