import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../../base/spread.js";
import type { Graph, Node } from "../../graph/ir.js";
import { producers } from "../../graph/walk.js";
import { randomFeeds } from "../../runtime/random-feeds.js";
import { nodeEngine } from "./ort.js";

export interface ProfileOptions {
  readonly threads?: number | undefined;
  /** Timed inferences. */
  readonly runs: number;
  readonly size?: number | undefined;
  readonly seed?: number | undefined;
  /** The file, for messages. */
  readonly where: string;
  readonly onRun?: ((done: number) => void) | undefined;
}

export interface NodeProfile {
  /** Median milliseconds of a node; what the engine fused into a convolution is counted there. */
  readonly ms: ReadonlyMap<Node, number>;
  /** Of what the engine put in itself: changes of layout, mostly. */
  readonly otherMs: number;
  readonly runs: number;
}

const WARM_UP = 3;
const KERNEL = "_kernel_time";

interface Event {
  readonly cat?: string;
  readonly name: string;
  readonly dur: number;
}

/**
 * How long each node of a graph takes, by the engine's own profile of a few inferences of one image. Nodes get a number for
 * a name, for files may have none or the same twice; convolutions in the blocked layout are named after what they make.
 */
export async function profileNodes(graph: Graph, options: ProfileOptions): Promise<NodeProfile> {
  const { threads, runs, size, seed = 0, where, onRun } = options;
  const folder = await mkdtemp(join(tmpdir(), "scconv-"));
  try {
    const numbered = { ...graph, nodes: graph.nodes.map((n, i) => ({ ...n, name: `node:${i}` })) };
    const feeds = randomFeeds(graph, { batch: 1, size, where }, seed);
    const session = await nodeEngine({ threads }).open(numbered, { profile: join(folder, "profile") });
    for (let i = 0; i < WARM_UP + runs; i++) {
      await session.run(feeds);
      onRun?.(Math.max(0, i + 1 - WARM_UP));
    }
    await session.release();
    const [file] = await readdir(folder);
    const events = JSON.parse(await readFile(join(folder, file!), "utf8")) as Event[];
    return { ...byNode(events, graph), runs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function byNode(events: readonly Event[], graph: Graph): Omit<NodeProfile, "runs"> {
  const makers = producers(graph);
  const samples = new Map<Node, number[]>();
  const others = new Map<string, number[]>();
  for (const { cat, name, dur } of events) {
    if (cat !== "Node" || !name.endsWith(KERNEL)) continue;
    const node = nodeOf(name.slice(0, -KERNEL.length), graph, makers);
    const ms = dur / 1000;
    if (node) samples.set(node, [...(samples.get(node) ?? []), ms]);
    else others.set(name, [...(others.get(name) ?? []), ms]);
  }
  const typical = (values: readonly number[]) => median(values.slice(WARM_UP));
  return {
    ms: new Map([...samples].map(([node, values]) => [node, typical(values)])),
    otherMs: [...others.values()].reduce((sum, values) => sum + typical(values), 0),
  };
}

function nodeOf(event: string, graph: Graph, makers: ReadonlyMap<string, Node>): Node | undefined {
  const [, number] = /node:(\d+)/.exec(event) ?? [];
  if (number !== undefined) return graph.nodes[Number(number)];
  // The value may be made by an activation that was fused with the convolution.
  let maker = makers.get(event.replace(/_nchwc$/, ""));
  while (maker && maker.op !== "Conv" && event.endsWith("_nchwc")) {
    const behind: Node = maker;
    maker = behind.inputs.map((i) => makers.get(i)).find((n) => n !== undefined);
  }
  return maker;
}
