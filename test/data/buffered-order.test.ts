import fc from "fast-check";
import { expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { bufferedOrder } from "../../src/data/buffered-order.js";

const ascending = (length: number) => Array.from({ length }, (_, i) => i);
const sorted = (order: Uint32Array) => [...order].sort((a, b) => a - b);

it("delivers every image once, and none before it is read", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer(),
      (sizes, buffer, seed) => {
        const shards = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
        const length = sizes.reduce((a, b) => a + b);
        const { reading, order } = bufferedOrder({ length, shards }, buffer, new Random(seed));
        expect(sorted(order)).toEqual(ascending(length));
        expect(sorted(reading)).toEqual(ascending(length));
        // Each shard from front to back, in one piece.
        for (const start of shards) {
          const at = reading.indexOf(start);
          const size = sizes[shards.indexOf(start)]!;
          expect([...reading.subarray(at, at + size)]).toEqual(ascending(size).map((i) => start + i));
        }
        const readAt = new Map([...reading].map((index, at) => [index, at]));
        order.forEach((index, at) => {
          expect(readAt.get(index)).toBeLessThan(at + buffer);
        });
      },
    ),
  );
});

it("draws shards and slots anew from every stream", () => {
  const split = { length: 60, shards: [0, 20, 40] };
  const of = (epoch: number) => bufferedOrder(split, 10, new Random(1, epoch));
  expect(of(3)).toEqual(of(3));
  expect(of(4).order).not.toEqual(of(3).order);
  expect(new Set(ascending(20).map((e) => of(e).reading[0])).size).toBe(3);
});

it("is a plain shuffle when everything fits into the buffer", () => {
  const counts = new Uint32Array(5 * 5);
  for (let seed = 0; seed < 5000; seed++) {
    const { order } = bufferedOrder({ length: 5 }, 8, new Random(seed));
    order.forEach((index, at) => {
      counts[index * 5 + at]!++;
    });
  }
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

it("with a buffer of one is the order of reading", () => {
  const { reading, order } = bufferedOrder({ length: 9, shards: [0, 4] }, 1, new Random(2));
  expect(order).toEqual(reading);
});
