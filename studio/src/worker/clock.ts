import { type Graph, type NamedTensors, randomFeeds, ratiosToFirst, type Session, spreadOf } from "scconv";
import { openModelFile, webEngine } from "scconv/web";
import type { Clock, Timed, TimingRequest } from "./protocol.js";

/** So many untimed inferences before the timed ones: the engine plans its memory in the first. */
const WARM_UP = 2;

/**
 * Times models on one engine of this worker, one inference of each in turn, so that a slow spell of the machine falls on all of them.
 * What happens once (the engine's start, opening a model, its first inference) is told apart from what happens every time.
 */
export function clock(): Clock {
  return {
    async time({ models, provider, threads, batch, size, rounds }: TimingRequest, onRound) {
      const start = performance.now();
      const engine = await webEngine({ provider, threads });
      const startMs = performance.now() - start;
      const running: Running[] = [];
      for (const model of models) running.push(await openOne(engine, model, { batch, size }));
      for (const one of running) for (let i = 1; i < WARM_UP; i++) await one.once();
      const table: number[][] = [];
      for (let round = 0; round < rounds; round++) {
        const row: number[] = [];
        for (const one of running) {
          // The turn before was another model's: one inference to have the caches back, then the one that counts.
          if (running.length > 1) await one.once();
          row.push(await one.once());
        }
        table.push(row);
        await onRound(round + 1);
      }
      const ratios = ratiosToFirst(table);
      return {
        ...{ provider, threads: engine.threads, startMs },
        device: engine.device,
        notes: engine.notes,
        runtime: engine.runtime,
        models: running.map(({ once: _, ...facts }, m): Timed => {
          const times = table.map((row) => row[m]!);
          return { ...facts, ...spreadOf(times), ratio: ratios[m] ?? 1 };
        }),
      };
    },
  };
}

interface Running {
  readonly name: string;
  readonly openMs: number;
  readonly firstMs: number;
  readonly onCpu: Timed["onCpu"];
  once(): Promise<number>;
}

async function openOne(
  engine: Awaited<ReturnType<typeof webEngine>>,
  { name, files }: TimingRequest["models"][number],
  { batch, size }: Pick<TimingRequest, "batch" | "size">,
): Promise<Running> {
  const { runnable, graph } = await openModelFile(files.model, { external: files.external });
  const feeds = randomFeeds(graph, { batch, size, where: name }, 0);
  const opening = performance.now();
  const session = await engine.open(runnable);
  const openMs = performance.now() - opening;
  const once = () => timed(session, feeds);
  return { name, openMs, firstMs: await once(), onCpu: byOperator(graph, session.onCpu ?? []), once };
}

function byOperator(graph: Graph, names: readonly string[]): Timed["onCpu"] {
  const ops = new Map(graph.nodes.map((n) => [n.name, n.op]));
  const found = new Map<string, string[]>();
  for (const name of names) {
    // A name that was not there, or there twice, got a number of its own.
    const own = name.replace(/#\d+$/, "");
    const op = ops.get(name) ?? ops.get(own) ?? "node";
    found.set(op, [...(found.get(op) ?? []), ops.has(name) ? name : own || name]);
  }
  return [...found].map(([op, of]) => ({ op, names: of }));
}

async function timed(session: Session, feeds: NamedTensors): Promise<number> {
  const started = performance.now();
  await session.run(feeds);
  return performance.now() - started;
}
