import { Tensor } from "../base/tensor.js";
import type { Graph } from "../graph/ir.js";
import { batchAsDepth } from "../optimise/batch-as-depth.js";
import { blockedConvolutions, blockOf, blockProbe } from "../optimise/blocked-convolutions.js";
import { cpuReductions } from "../optimise/cpu-reductions.js";
import { forwardApart } from "../optimise/forward-apart.js";
import { sumsInConvolutions } from "../optimise/sums-in-convolutions.js";
import type { Engine } from "../runtime/session.js";

/**
 * A step graph whose forward pass takes as little memory as may be, and, for the CPU's kernels, with its convolutions and reductions
 * as these run them fastest. WebGPU's graphs stay as they are: an If would be the CPU's, and all that it gives would be copied.
 */
export async function forEngine(engine: Engine, graph: Graph): Promise<Graph> {
  if (engine.provider === "cpu") return forwardApart(await forCpu(engine, graph), FORWARD);
  return engine.provider === "wasm" ? forwardApart(graph, FORWARD) : graph;
}

/** As buildStep calls them. */
const FORWARD = { from: "images", to: "loss" } as const;

async function forCpu(engine: Engine, graph: Graph): Promise<Graph> {
  const deep = cpuReductions(batchAsDepth(graph));
  if (!blocks.has(engine)) blocks.set(engine, findBlock(engine));
  const block = await blocks.get(engine);
  return sumsInConvolutions(block ? blockedConvolutions(deep, block) : deep);
}

/** How many channels the engine keeps together, by engine. */
const blocks = new WeakMap<Engine, Promise<number | undefined>>();

async function findBlock(engine: Engine): Promise<number | undefined> {
  try {
    const session = await engine.open(blockProbe());
    const x = Tensor.from(
      "float32",
      [1, 16, 1, 2],
      Array.from({ length: 32 }, (_, i) => i),
    );
    const results = await session.run(new Map([["x", x]]));
    await session.release();
    return blockOf(results.get("y")!.data as Float32Array);
  } catch {
    // Another build of the engine, or another processor: without it.
    return undefined;
  }
}
