import { afterAll, describe, expect, it } from "vitest";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { operators } from "../../src/ops/index.js";
import { evaluationGraph } from "../../src/train/evaluate.js";
import type { Trainer } from "../../src/train/trainer.js";
import { batchOf, bytesOf, program, sharedEngine, tinyNet, tinyNets, trainerOf } from "./tiny.js";

const engine = sharedEngine();
const open: Trainer[] = [];
afterAll(() => Promise.all(open.map((t) => t.release())));

async function started(student: Graph): Promise<Trainer> {
  const trainer = await trainerOf(engine, student, program(student));
  open.push(trainer);
  return trainer;
}

describe("a loss that is not finite", () => {
  it("refuses the update and keeps the state: images of NaN", async () => {
    const student = tinyNets["SCConv second"]!;
    const [trainer, other] = [await started(student), await started(student)];
    const { images, labels } = batchOf();
    for (const t of [trainer, other]) await t.step(images, labels, 0.05);
    const before = bytesOf(trainer.state);
    const broken = trainer.step(
      images.map(() => Number.NaN),
      labels,
      0.05,
    );
    await expect(broken).rejects.toMatchObject({
      code: "not-finite",
      message: expect.stringMatching(/step 2: .*NaN/),
    });
    expect(bytesOf(trainer.state)).toEqual(before);
    expect(trainer.steps).toBe(1);
    // And goes on as if nothing had happened.
    for (const t of [trainer, other]) await t.step(images, labels, 0.05);
    expect(bytesOf(trainer.state)).toEqual(bytesOf(other.state));
  });

  it("is what a learning rate of 1e30 ends in, with a finite state", async () => {
    const trainer = await started(tinyNet());
    const { images, labels } = batchOf();
    const diverge = async () => {
      for (let i = 0; i < 5; i++) await trainer.step(images, labels, 1e30);
    };
    await expect(diverge()).rejects.toMatchObject({ code: "not-finite" });
    expect((trainer.state.get("parameters")!.data as Float32Array).every(Number.isFinite)).toBe(true);
  });
});

describe("names", () => {
  it("of a user's network may be those of the step's own inputs and outputs", async () => {
    const used = ["loss", "images", "labels", "parameters", "next.parameters", "gradient_norm", "logits"];
    const student = tinyNet();
    const inner = student.nodes.slice(0, -1).flatMap((n) => n.outputs);
    const names = new Map(inner.slice(0, used.length - 1).map((n, i) => [n, used[i]!]));
    const rename = (n: string) => names.get(n) ?? n;
    const renamed: Graph = {
      ...student,
      nodes: student.nodes.map((n) => ({
        ...n,
        inputs: n.inputs.map(rename),
        outputs: n.outputs.map(rename),
      })),
      types: new Map([...student.types].map(([n, t]) => [rename(n), t])),
    };
    verify(renamed, operators);
    const [trainer, same] = [await started(renamed), await started(student)];
    const { images, labels } = batchOf();
    for (const t of [trainer, same]) await t.step(images, labels, 0.05);
    expect(bytesOf(trainer.state)).toEqual(bytesOf(same.state));
    verify(evaluationGraph(renamed, trainer.program), operators);
  });
});

describe("what cannot be trained", () => {
  it("is refused with the reason", () => {
    const student = tinyNet();
    expect(() => program(student, { trained: () => false })).toThrowError(/nothing to train/);
    const open = {
      ...student,
      inputs: [{ name: "input", type: { dtype: "float32", shape: ["N", 1, "H", 8] } as const }],
    };
    expect(() => program(open)).toThrowError(/image size must be fixed.*1×H×8.*--size/);
    const flat = {
      ...student,
      inputs: [{ name: "input", type: { dtype: "float32", shape: ["N", 64] } as const }],
    };
    expect(() => program(flat)).toThrowError(/one float32 image input/);
  });
});
