import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { decodeNpy, encodeNpy } from "../../src/cli/npy.js";

/** `numpy.save` of [[0, 1, 2], [3, 4, 5]], made with `order` and `descr`. */
function npy(descr: string, fortran: boolean, shape: string, body: Uint8Array): Uint8Array {
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': (${shape}), }`;
  const header = `${dict.padEnd(117)}\n`;
  const head = Buffer.concat([Buffer.from([0x93]), Buffer.from("NUMPY"), Buffer.from([1, 0, 118, 0])]);
  return Buffer.concat([head, Buffer.from(header, "latin1"), body]);
}
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe(".npy", () => {
  it("reads what numpy writes", () => {
    const t = decodeNpy(npy("<f4", false, "2, 3", floats(0, 1, 2, 3, 4, 5)), "a.npy");
    expect(t.dims).toEqual([2, 3]);
    expect([...(t.numbers() as Float32Array)]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("brings Fortran order into row-major order", () => {
    const t = decodeNpy(npy("<f4", true, "2, 3", floats(0, 3, 1, 4, 2, 5)), "a.npy");
    expect([...(t.numbers() as Float32Array)]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it.each(["float32", "float64", "float16", "int64", "int32", "uint8", "bool"] as const)(
    "round trip of %s",
    (dtype) => {
      for (const dims of [[], [3], [2, 3]]) {
        const t = Tensor.from(
          dtype,
          dims,
          Array.from({ length: dims.reduce((a, d) => a * d, 1) }, (_, i) => i % 2),
        );
        const back = decodeNpy(encodeNpy(t), "t.npy");
        expect(back.dtype).toBe(dtype);
        expect(back.dims).toEqual(dims);
        expect([...Buffer.from(back.bytes)]).toEqual([...Buffer.from(t.bytes)]);
      }
    },
  );

  it.each([
    ["text", Buffer.from("hello, world, this is text")],
    ["a short body", npy("<f4", false, "2, 3", floats(0, 1))],
    ["big-endian numbers", npy(">f4", false, "1", floats(0))],
    ["objects", npy("|O", false, "1", floats(0))],
  ])("refuses %s", (_, bytes) => {
    expect(() => decodeNpy(bytes, "bad.npy")).toThrow(/^bad\.npy: not a readable \.npy file/);
  });
});
