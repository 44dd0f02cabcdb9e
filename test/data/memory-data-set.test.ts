import { expect, it } from "vitest";
import { memoryDataSet } from "../../src/data/memory-data-set.js";
import { normalizations } from "../../src/data/normalize.js";
import { dataSetCases } from "./data-set.cases.js";

const shape = { channels: 3, height: 5, width: 4, classes: ["a", "b", "c"] } as const;
const some = (n: number) => ({
  images: Uint8Array.from({ length: n * 60 }, (_, i) => (i * 89 + 5) % 256),
  labels: Array.from({ length: n }, (_, i) => i % 3),
});

dataSetCases("memoryDataSet", async () => memoryDataSet({ ...some(11), ...shape }, { test: some(5) }), {
  resizes: false,
});

it("says which split is missing", () => {
  const data = memoryDataSet({ ...some(2), ...shape });
  const options = { batchSize: 1, normalize: normalizations.none };
  expect(() => data.batches("test", options)).toThrowError("memory: there is no evaluation split");
});

it("refuses images and labels that differ in number", () => {
  expect(() => memoryDataSet({ ...some(2), labels: [0], ...shape })).toThrowError(/differ in number/);
});
