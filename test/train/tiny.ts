import { Random } from "../../src/base/random.js";
import type { Tensor } from "../../src/base/tensor.js";
import type { DataSet } from "../../src/data/data-set.js";
import { memoryDataSet } from "../../src/data/memory-data-set.js";
import type { Graph } from "../../src/graph/ir.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { type ConvUnit, scconvUnit, standardUnit } from "../../src/nn/units.js";
import type { Engine, Session } from "../../src/runtime/session.js";
import type { AppendStore } from "../../src/train/event-log.js";
import { unpack } from "../../src/train/flat.js";
import { sgd } from "../../src/train/optimizer.js";
import { trainableParts } from "../../src/train/parts.js";
import { buildStep, classification, type StepOptions, type StepProgram } from "../../src/train/step.js";
import { createTrainer, initialState, type Trainer } from "../../src/train/trainer.js";
import { resnetCifar } from "../../src/zoo/resnet-cifar.js";

export const BATCH = 8;
export const CLASSES = 4;
export const SIZE = 8;

/** ResNet-8 with 8, 16 and 32 channels over (N, 1, 8, 8). */
export function tinyNet(unit: ConvUnit = standardUnit, where: "second" | "all" = "second", seed = 1): Graph {
  const widths = [8, 16, 32] as const;
  return resnetCifar({ depth: 8, widths, size: SIZE, channels: 1, classes: CLASSES, unit, where, seed });
}

export const tinyNets: Readonly<Record<string, Graph>> = {
  standard: tinyNet(),
  "SCConv second": tinyNet(scconvUnit(), "second"),
  "SCConv all": tinyNet(scconvUnit(), "all"),
};

export function program(student: Graph, options: Partial<StepOptions> = {}): StepProgram {
  return buildStep({
    ...{ student, batch: BATCH, optimizer: sgd(), objective: classification(student, undefined, {}) },
    ...options,
  });
}

export function stateOf(student: Graph, step: StepProgram): Map<string, Tensor> {
  const { parameters, statistics } = trainableParts(student);
  return initialState(step, new Map([...parameters, ...statistics]));
}

/** One session for every graph: sessions are dear, and a resumed run builds the same graph again. */
export function sharedEngine(): Engine {
  const engine = nodeEngine({ threads: 1 });
  const sessions = new Map<unknown, Promise<Session>>();
  return {
    ...engine,
    open(model, options) {
      const found = sessions.get(model);
      if (found) return found;
      const opened = engine.open(model, options).then((s) => ({ ...s, release: async () => {} }));
      sessions.set(model, opened);
      return opened;
    },
  };
}

export const trainerOf = (engine: Engine, student: Graph, step: StepProgram): Promise<Trainer> =>
  createTrainer(engine, step, stateOf(student, step));

/** Images whose class is where the bright quarter is, with noise. */
export function tinyData(train = 3 * BATCH, test = 10): DataSet {
  const split = (count: number, seed: number) => {
    const random = new Random(seed);
    const labels = Array.from({ length: count }, (_, i) => i % CLASSES);
    const images = Uint8Array.from({ length: count * SIZE * SIZE }, (_, i) => {
      const [y, x] = [Math.floor(i / SIZE) % SIZE, i % SIZE];
      const quarter = 2 * Math.floor((2 * y) / SIZE) + Math.floor((2 * x) / SIZE);
      return random.int(100) + (quarter === labels[Math.floor(i / SIZE ** 2)] ? 120 : 0);
    });
    return { images, labels };
  };
  const classes = ["a", "b", "c", "d"];
  const shape = { channels: 1, height: SIZE, width: SIZE, classes } as const;
  return memoryDataSet({ ...split(train, 1), ...shape }, { test: split(test, 2) });
}

export function batchOf(seed = 0): { images: Float32Array; labels: Int32Array } {
  const random = new Random(seed, 3);
  const labels = Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES);
  const images = Float32Array.from({ length: BATCH * SIZE * SIZE }, () => random.normal());
  return { images, labels };
}

/** Bytes of every vector of a state. */
export const bytesOf = (state: ReadonlyMap<string, Tensor>): Record<string, string> =>
  Object.fromEntries([...state].map(([name, t]) => [name, Buffer.from(t.bytes).toString("hex")]));

/** A run's files in memory; `onWrite` sees every write before it is done, and may throw. */
export function memoryStore(onWrite: (name: string, count: number) => void = () => {}) {
  const files = new Map<string, Uint8Array>();
  let count = 0;
  const store: AppendStore & { readonly files: ReadonlyMap<string, Uint8Array> } = {
    files,
    async write(name, bytes) {
      onWrite(name, count++);
      files.set(name, Uint8Array.from(bytes));
    },
    read: async (name) => files.get(name),
    async append(name, bytes) {
      files.set(name, Uint8Array.from([...(files.get(name) ?? []), ...bytes]));
    },
    list: async () => [...files.keys()],
    async remove(name) {
      files.delete(name);
    },
  };
  return store;
}

/** Parameters and statistics by their names. */
export const named = ({ program: p, state }: Trainer): Map<string, Tensor> =>
  new Map([
    ...unpack(p.parameters, state.get("parameters")!),
    ...unpack(p.statistics, state.get("statistics")!),
  ]);
