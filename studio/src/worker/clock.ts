import { type NamedTensors, randomFeeds, ratiosToFirst, type Session, spreadOf } from "scconv";
import { openModelFile, type WebEngine, webEngine } from "scconv/web";
import { type OffGpu, offGpu } from "./off-gpu.js";
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
      for (const { session } of running) await session.release();
      const off: OffGpu[] = [];
      for (const [m, { files }] of models.entries()) {
        off.push(await offGpu(engine, files, running[m]!.session.onCpu ?? []));
      }
      return {
        ...{ provider, threads: engine.threads, startMs },
        device: engine.device,
        notes: engine.notes,
        runtime: engine.runtime,
        models: running.map(({ name, openMs, firstMs }, m): Timed => {
          const times = table.map((row) => row[m]!);
          return { name, openMs, firstMs, ...spreadOf(times), ratio: ratios[m] ?? 1, ...off[m]! };
        }),
      };
    },
  };
}

interface Running {
  readonly name: string;
  readonly openMs: number;
  readonly firstMs: number;
  readonly session: Session;
  once(): Promise<number>;
}

async function openOne(
  engine: WebEngine,
  { name, files }: TimingRequest["models"][number],
  { batch, size }: Pick<TimingRequest, "batch" | "size">,
): Promise<Running> {
  const { runnable, graph } = await openModelFile(files.model, { external: files.external });
  const feeds = randomFeeds(graph, { batch, size, where: name }, 0);
  const opening = performance.now();
  const session = await engine.open(runnable);
  const openMs = performance.now() - opening;
  const once = () => timed(session, feeds);
  return { name, openMs, firstMs: await once(), session, once };
}

async function timed(session: Session, feeds: NamedTensors): Promise<number> {
  const started = performance.now();
  await session.run(feeds);
  return performance.now() - started;
}
