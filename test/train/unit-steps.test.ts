import { describe, expect, it } from "vitest";
import { convUnit, convUnitNames } from "../../src/nn/units.js";
import { batchOf, named, program, sharedEngine, tinyNet, trainerOf } from "./tiny.js";

describe("a network of each unit learns", () => {
  const engine = sharedEngine();
  it.each(convUnitNames)("%s: steps on one batch lower its loss, and move every tensor", async (name) => {
    const student = tinyNet(convUnit(name), "all");
    const trainer = await trainerOf(engine, student, program(student));
    const before = new Map([...named(trainer)].map(([n, t]) => [n, Buffer.from(t.bytes)]));
    const { images, labels } = batchOf();
    const losses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const { figures } = await trainer.step(images, labels, 0.05);
      losses.push(figures.get("loss")!);
    }
    const still = [...named(trainer)].filter(([n, t]) => Buffer.compare(t.bytes, before.get(n)!) === 0);
    await trainer.release();
    expect(losses.at(-1)!).toBeLessThan(0.7 * losses[0]!);
    expect(still.map(([n]) => n)).toEqual([]);
  });
});
