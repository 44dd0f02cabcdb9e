import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addDim,
  broadcastShapes,
  type Dim,
  divDim,
  factorsOf,
  formatShape,
  formatSize,
  mulDim,
  productDim,
  unknownDim,
} from "../../src/base/dims.js";
import { sizeValue } from "../ops/size-expression.js";

describe("symbolic sizes", () => {
  it("are short to read", () => {
    expect(addDim(addDim("H", 2), -3)).toBe("H-1");
    expect(addDim(addDim("H", 2), -2)).toBe("H");
    expect(addDim(1, "H")).toBe("H+1");
    expect(mulDim("N", 3)).toBe("3·N");
    expect(mulDim(mulDim(3, "N"), 4)).toBe("12·N");
    expect(mulDim("N", addDim("H", 1))).toBe("N·(H+1)");
    expect(divDim(mulDim("N", 6), 2)).toBe("3·N");
    expect(divDim(addDim("H", 1), 2)).toBe("(H+1)/2");
    expect(divDim(addDim("H", 1), 2, true)).toBe("ceil((H+1)/2)");
    expect(addDim(addDim(divDim(addDim("H", 1), 2), 1), -1)).toBe("(H+1)/2");
    expect(productDim(["N", 3, 4, "H"])).toBe("12·N·H");
  });

  it("that a file names by an expression are multiplied as one", () => {
    const boxes = "Min(1000, u2)";
    expect(mulDim(7, mulDim(7, mulDim(256, boxes)))).toBe("12544·Min(1000, u2)");
    expect(divDim(mulDim(boxes, 12544), 12544)).toBe(boxes);
    expect(mulDim(divDim("H", 2, true), 3)).toBe("3·ceil(H/2)");
    expect(factorsOf("f(🦊)·N·(H+1)")).toEqual(["f(🦊)", "N", "(H+1)"]);
    // Neither is a product as it stands.
    expect(mulDim("a)·(b", 2)).toBe("2·(a)·(b)");
    expect(mulDim("u0 + 1", 2)).toBe("2·(u0 + 1)");
  });

  it("are told by what they depend on where they are too long to read", () => {
    const long = "TruncToInt(32.0*ToFloat(CeilToInt(ToFloat(s11)*Min(IntTrueDiv(128, s37), 1))))+?3";
    expect(formatSize(long)).toBe("f(s11, s37, ?3)");
    expect(formatSize("30·Min(1000, u2)+?3")).toBe("30·Min(1000, u2)+?3");
    expect(formatShape([1, long])).toBe("1×f(s11, s37, ?3)");
  });

  it("that nobody named are different from each other, and print as a question", () => {
    const [a, b] = [unknownDim(), unknownDim()];
    expect(a).not.toBe(b);
    expect(formatShape([a, 3])).toBe("?×3");
  });

  it("mean what their numbers mean", () => {
    const sizes = new Map([
      ["N", 5],
      ["H", 13],
    ]);
    const step = fc.oneof(
      fc.record({
        op: fc.constant("add" as const),
        by: fc.oneof(fc.integer({ min: -4, max: 9 }), fc.constantFrom("N", "H")),
      }),
      fc.record({
        op: fc.constant("mul" as const),
        by: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom("N", "H")),
      }),
      fc.record({ op: fc.constantFrom("div" as const, "ceil" as const), by: fc.integer({ min: 1, max: 4 }) }),
    );
    fc.assert(
      fc.property(fc.constantFrom<Dim>("N", "H", 7), fc.array(step, { maxLength: 5 }), (start, steps) => {
        let symbolic: Dim = start;
        let number = sizeValue(start, sizes)!;
        for (const { op, by } of steps) {
          const n = sizeValue(by, sizes)!;
          if (op === "add") [symbolic, number] = [addDim(symbolic, by), number + n];
          else if (op === "mul") [symbolic, number] = [mulDim(symbolic, by), number * n];
          else {
            symbolic = divDim(symbolic, by as number, op === "ceil");
            number = op === "ceil" ? Math.ceil(number / n) : Math.floor(number / n);
          }
        }
        expect(sizeValue(symbolic, sizes), `${symbolic}`).toBe(number);
      }),
      { numRuns: 500, seed: 3 },
    );
  });
});

describe("broadcastShapes", () => {
  it.each<[Dim[][], Dim[] | undefined]>([
    [
      [
        [2, 1, 4],
        [3, 1],
      ],
      [2, 3, 4],
    ],
    [
      [
        ["N", 3],
        [1, 3],
      ],
      ["N", 3],
    ],
    [
      [
        ["N", 3],
        ["N", 1],
      ],
      ["N", 3],
    ],
    [[["N"], [4]], [4]],
    [[[], [2]], [2]],
    [[[2], [3]], undefined],
    [[], []],
  ])("%j", (shapes, want) => {
    expect(broadcastShapes(...shapes)).toEqual(want);
  });
});
