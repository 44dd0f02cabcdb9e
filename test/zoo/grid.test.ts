import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { convUnit, convUnitNames } from "../../src/nn/units.js";
import { operators } from "../../src/ops/index.js";
import type { Engine } from "../../src/runtime/session.js";
import { sgd } from "../../src/train/optimizer.js";
import { trainableParts } from "../../src/train/parts.js";
import { buildStep, classification } from "../../src/train/step.js";
import { createTrainer, initialState } from "../../src/train/trainer.js";
import { densenet } from "../../src/zoo/densenet.js";
import type { ArchitectureOptions } from "../../src/zoo/index.js";
import { mobilenetV2 } from "../../src/zoo/mobilenet-v2.js";
import { resnet } from "../../src/zoo/resnet.js";
import { resnetCifar } from "../../src/zoo/resnet-cifar.js";
import { vgg16 } from "../../src/zoo/vgg.js";
import { wideResnet } from "../../src/zoo/wide-resnet.js";

const BATCH = 4;
const CLASSES = 4;

const small = { classes: CLASSES, channels: 3, seed: 1 } as const;
type Unit = Pick<ArchitectureOptions, "unit" | "where">;

/** Every backbone with fewer blocks and channels; the blocks are those of the real ones. */
const backbones: Readonly<Record<string, (unit: Unit) => ReturnType<typeof resnet>>> = {
  "CIFAR ResNet": (u) => resnetCifar({ ...small, ...u, depth: 8, size: 8 }),
  "ResNet, basic": (u) =>
    resnet({ ...small, ...u, block: "basic", stages: [1, 1, 1], form: "cifar", size: 8, width: 0.25 }),
  "ResNet, bottleneck": (u) =>
    resnet({
      ...small,
      ...u,
      block: "bottleneck",
      stages: [2, 1, 1, 1],
      form: "imagenet",
      size: 32,
      width: 0.25,
    }),
  ResNeXt: (u) =>
    resnet({
      ...{ ...small, ...u, block: "bottleneck", stages: [1, 1, 1], form: "cifar", size: 8 },
      ...{ groups: 4, widthPerGroup: 8, width: 0.5 },
    }),
  "wide ResNet": (u) => wideResnet({ ...small, ...u, depth: 10, widen: 1, size: 8 }),
  DenseNet: (u) => densenet({ ...small, ...u, blocks: [2, 2, 2], form: "cifar", size: 8, width: 0.5 }),
  VGG: (u) => vgg16({ ...small, ...u, form: "cifar", size: 32, width: 0.125 }),
  MobileNetV2: (u) => mobilenetV2({ ...small, ...u, form: "cifar", size: 16, width: 0.25 }),
};

const node = nodeEngine({ threads: 2 });
/** As the graph is written: what the engine makes of it takes it longer than two steps do. */
const engine: Engine = { ...node, open: (m, o) => node.open(m, { ...o, optimisation: "none" }) };
const cells = Object.keys(backbones).flatMap((backbone) =>
  convUnitNames.map((unit) => [backbone, unit] as const),
);

/** Where a gate flips, the loss jumps, and no step is sure to lower it: gates are set away from their threshold. */
function decided(name: string, tensor: Tensor): Tensor {
  if (!name.endsWith("sru.gn.bias")) return tensor;
  const data = Float32Array.from({ length: tensor.size }, (_, c) => (c % 3 === 0 ? -5 : 5));
  return Tensor.of("float32", tensor.dims, data);
}

describe("every unit in every backbone", () => {
  it.each(cells)("%s with %s", async (backbone, name) => {
    const student = backbones[backbone]!({ unit: convUnit(name), where: "all" });
    verify(student, operators);
    const { parameters, statistics } = trainableParts(student);
    const weights = [...student.initializers.keys()].filter((n) => /(weight|bias)$/.test(n));
    expect([...parameters.keys()].sort()).toEqual(weights.sort());

    const optimizer = sgd({ momentum: 0, nesterov: false, weightDecay: 0 });
    const objective = classification(student, undefined, {});
    const program = buildStep({ student, batch: BATCH, optimizer, objective });
    verify(program.graph, operators);
    expect([...program.graph.initializers.keys()].filter((n) => n.includes("no_gradient"))).toEqual([]);

    const trainer = await createTrainer(
      engine,
      program,
      initialState(program, new Map([...parameters, ...statistics].map(([n, t]) => [n, decided(n, t)]))),
    );
    const random = new Random(7);
    const { shape } = student.inputs[0]!.type!;
    const pixels = BATCH * (shape!.slice(1) as number[]).reduce((a, b) => a * b);
    const images = Float32Array.from({ length: pixels }, () => random.normal());
    const labels = Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES);
    const step = (rate: number) => trainer.step(images, labels, rate).then(({ figures }) => figures);
    const before = await step(0);
    // So far down the gradient that the loss falls by so much, were it a plane.
    const planned = 0.005;
    await step(planned / before.get("gradient_norm")! ** 2);
    const fallen = before.get("loss")! - (await step(0)).get("loss")!;
    await trainer.release();
    expect(fallen / planned).toBeGreaterThan(0.5);
    expect(fallen / planned).toBeLessThan(1.5);
  });
});
