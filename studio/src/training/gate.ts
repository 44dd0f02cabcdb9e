import type { Batch, DataSet } from "scconv";

/** Where long work in a worker waits between its steps: for a pause to end, and for messages that came meanwhile. */
export interface Gate {
  pause(): void;
  resume(): void;
  pass(): Promise<void>;
  /** Milliseconds of life, without the time that it was closed. */
  now(): number;
}

export function createGate(): Gate {
  let closed: { readonly since: number; readonly opening: Promise<void>; open(): void } | undefined;
  let lost = 0;
  return {
    pause() {
      if (closed) return;
      let open = () => {};
      const opening = new Promise<void>((resolve) => {
        open = resolve;
      });
      closed = { since: performance.now(), opening, open };
    },
    resume() {
      if (!closed) return;
      lost += performance.now() - closed.since;
      closed.open();
      closed = undefined;
    },
    async pass() {
      // The engine computes on this thread: a message is heard only where the thread is let go.
      await new Promise((resolve) => setTimeout(resolve));
      while (closed) await closed.opening;
    },
    now: () => (closed ? closed.since : performance.now()) - lost,
  };
}

/** A data set whose batches come through the gate, so that all that reads it can be held: calibration, training, evaluation. */
export function gated(data: DataSet, gate: Gate): DataSet {
  async function* through(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    for await (const batch of batches) {
      await gate.pass();
      yield batch;
    }
  }
  return { ...data, batches: (split, options) => through(data.batches(split, options)) };
}
