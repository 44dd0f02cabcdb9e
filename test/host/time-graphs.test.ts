import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type * as module from "../../src/host/node/time-graphs.js";
import { relu } from "../../src/ops/emit.js";
import { graphBuilder } from "../../src/ops/index.js";

// Built: it starts processes of its own.
const built = pathToFileURL(join(process.cwd(), "dist/host/node/time-graphs.js")).href;
const { timeGraphs }: typeof module = await import(built);

function chain(length: number) {
  const b = graphBuilder({ name: "chain" });
  let y = b.input("x", "float32", [1, 8, 64, 64]);
  for (let i = 0; i < length; i++) y = relu(b.add("Neg", [y]));
  b.output(y, "y");
  return b.build();
}

describe("timeGraphs", () => {
  it.each([1, 3, 7])("spreads five rounds over %i processes", async (processes) => {
    let rounds = 0;
    const timed = await timeGraphs([chain(4), chain(1)], {
      ...{ threads: 1, rounds: 5, processes },
      onRound: () => rounds++,
    });
    expect(rounds).toBe(5);
    expect(timed).toHaveLength(2);
    expect(timed[0]).toMatchObject({ saving: 0, uncertainty: 0, ratio: 1 });
    for (const { ms, ratio } of timed) expect(Math.min(ms, ratio)).toBeGreaterThan(0);
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort();
    await expect(timeGraphs([chain(1)], { rounds: 3, signal })).rejects.toThrow("timing was stopped");
  });
});
