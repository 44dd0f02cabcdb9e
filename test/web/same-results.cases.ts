import { beforeAll, describe, expect, it } from "vitest";
import { commands } from "vitest/browser";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { checkGolden } from "../../src/cli/golden.js";
import { encodeModel } from "../../src/graph/codec.js";
import type { Graph } from "../../src/graph/ir.js";
import { modelOf } from "../../src/graph/model.js";
import { scconvUnit } from "../../src/nn/units.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/runtime/safetensors.js";
import type { Engine } from "../../src/runtime/session.js";
import { unpack } from "../../src/train/flat.js";
import { sgd } from "../../src/train/optimizer.js";
import { trainableParts } from "../../src/train/parts.js";
import { buildStep, classification } from "../../src/train/step.js";
import { createTrainer, initialState } from "../../src/train/trainer.js";
import { resnetCifar } from "../../src/zoo/resnet-cifar.js";

declare module "vitest/browser" {
  interface BrowserCommands {
    goldens(): Promise<{ folder: string; files: { file: string; bytes: string }[] }>;
    runOnNode(model: string, feeds: string): Promise<{ runtime: string; results: string }>;
  }
}

const TOLERANCE = 1e-4;

/** What an engine in a page computes is what Node's does: the module's golden vectors, and a whole training step. */
export function sameResults(make: () => Promise<Engine>): void {
  let engine: Engine;
  beforeAll(async () => {
    engine = await make();
  });

  // A shader for every kind of node, compiled in software on a busy machine, takes its time.
  it("agrees with the module's golden vectors, forwards and backwards", { timeout: 900_000 }, async ({
    skip,
  }) => {
    const { folder, files } = await commands.goldens();
    if (files.length === 0) {
      console.warn(`skipped: the golden vectors are not on this machine (${folder})`);
      skip("no golden vectors on this machine");
    }
    let worst = { error: 0, of: "" };
    const failed: unknown[] = [];
    for (const { file, bytes } of files) {
      const result = await checkGolden(engine, file, fromBase64(bytes));
      if (!result.pass) failed.push(result);
      for (const [of, error] of Object.entries({ forward: result.forward, ...result.gradients })) {
        if (error > worst.error) worst = { error, of: `${file} ${of}` };
      }
    }
    console.log(
      `${files.length} golden vectors, ${engine.provider}: worst ${worst.error.toExponential(1)} (${worst.of})`,
    );
    expect(failed).toEqual([]);
    expect(worst.error).toBeLessThan(TOLERANCE);
  });

  describe("a training step of ResNet-20 with SCConv", () => {
    it("is the same as on Node", async () => {
      const [here, there] = [await oneStep(engine), await oneStep(nodeFromHere)];
      const errors = new Map<string, number>();
      for (const [name, value] of there.figures)
        errors.set(name, relative([here.figures.get(name)!], [value]));
      for (const [name, tensor] of there.tensors) {
        errors.set(name, relative(here.tensors.get(name)!.numbers(), tensor.numbers()));
      }
      const worst = [...errors].sort((a, b) => b[1] - a[1]).slice(0, 3);
      console.log(
        `training step, ${engine.provider}, ${engine.threads} thread(s), relative to Node: ` +
          worst.map(([name, e]) => `${name} ${e.toExponential(1)}`).join(", "),
      );
      expect(here.figures.get("gradient_norm")).toBeGreaterThan(0.1);
      for (const [name, error] of errors) expect(error, name).toBeLessThan(TOLERANCE);
    });
  });
}

const BATCH = 4;

/** Figures, and for every parameter its value after the step and its gradient (the momentum after the first step). */
async function oneStep(engine: Engine) {
  const student: Graph = resnetCifar({ depth: 20, unit: scconvUnit(), where: "all", seed: 1 });
  const optimizer = sgd();
  const program = buildStep({
    student,
    batch: BATCH,
    optimizer,
    objective: classification(student, undefined, {}),
  });
  const { parameters, statistics } = trainableParts(student);
  // Where a gate is near its threshold, the last bit of a float32 decides: half of them far open, half of them far shut.
  for (const [name, t] of parameters) {
    if (!name.endsWith("sru.gn.bias")) continue;
    parameters.set(
      name,
      Tensor.from(
        "float32",
        t.dims,
        Array.from({ length: t.size }, (_, i) => (i % 2 ? 8 : -8)),
      ),
    );
  }
  const trainer = await createTrainer(
    engine,
    program,
    initialState(program, new Map([...parameters, ...statistics])),
  );
  const random = new Random(5);
  const images = Float32Array.from({ length: BATCH * 3 * 32 * 32 }, () => random.normal());
  const { figures } = await trainer.step(images, Int32Array.from([0, 3, 5, 9]), 0.1);
  const tensors = new Map<string, Tensor>();
  for (const [slot, layout] of [
    ["parameters", program.parameters],
    [optimizer.slots[0]!, program.parameters],
    ["statistics", program.statistics],
  ] as const) {
    for (const [name, t] of unpack(layout, trainer.state.get(slot)!)) tensors.set(`${slot} ${name}`, t);
  }
  await trainer.release();
  return { figures, tensors };
}

/** Node's engine behind the wire of the test runner. */
const nodeFromHere: Engine = {
  ...{ runtime: "onnxruntime-node", provider: "cpu", threads: 1, notes: [] },
  async open(model) {
    const graph = model as Graph;
    const bytes = toBase64(encodeModel(modelOf(graph)));
    return {
      inputs: graph.inputs.map((i) => i.name),
      outputs: graph.outputs.map((o) => o.name),
      async run(feeds, fetches) {
        const { results } = await commands.runOnNode(bytes, toBase64(encodeSafetensors(feeds)));
        const { tensors } = decodeSafetensors(fromBase64(results), "results");
        for (const [name, t] of fetches ?? [])
          (t.data as Float32Array).set(tensors.get(name)!.data as Float32Array);
        return fetches ?? tensors;
      },
      async release() {},
    };
  },
};

function relative(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < theirs.length; i++) {
    difference += (ours[i]! - theirs[i]!) ** 2;
    norm += theirs[i]! ** 2;
  }
  return Math.sqrt(difference / (norm || 1));
}

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 2 ** 15)
    text += String.fromCharCode(...bytes.subarray(i, i + 2 ** 15));
  return btoa(text);
}
