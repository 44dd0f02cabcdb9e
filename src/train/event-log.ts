import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { RunStore } from "./checkpoint.js";
import { EventSchema } from "./gen/events_pb.js";
import { decodeRecords, encodeRecord } from "./record-file.js";

/** A store that can also add to a file. What a kill cuts off is at a file's end. */
export interface AppendStore extends RunStore {
  append(name: string, bytes: Uint8Array): Promise<void>;
  list(): Promise<readonly string[]>;
  remove(name: string): Promise<void>;
}

/** Figures by step, for TensorBoard. */
export interface EventLog {
  /** Writes values by tag at a step (from 1); those that are in the log already are left out. */
  scalars(step: number, values: Readonly<Record<string, number>>): Promise<void>;
}

const PREFIX = "events.out.tfevents.";

/**
 * Event files in a run's folder. A resumed run begins another file and does some steps again that it had logged already
 * before it was stopped: they are known from the files there, and not written twice. A new run removes the files of another.
 * `now`: seconds since 1970.
 */
export async function openEventLog(
  store: AppendStore,
  { resume, now = () => Date.now() / 1000 }: { resume: boolean; now?: () => number },
): Promise<EventLog> {
  const old = (await store.list()).filter((name) => name.startsWith(PREFIX)).sort();
  const last = new Map<string, number>();
  for (const name of old) {
    if (!resume) await store.remove(name);
    else noteSteps(decodeRecords((await store.read(name)) ?? new Uint8Array(0)), last);
  }
  const started = Math.floor(now());
  const name = `${PREFIX}${started}.scconv.${resume ? old.length : 0}`;
  let begun = false;
  return {
    async scalars(step, values) {
      const fresh = Object.entries(values).filter(([tag]) => step > (last.get(tag) ?? 0));
      if (fresh.length === 0) return;
      const events = [encodeScalars(step, fresh, now())];
      if (!begun) events.unshift(encodeVersion(started));
      begun = true;
      for (const event of events) await store.append(name, encodeRecord(event));
      for (const [tag] of fresh) last.set(tag, step);
    },
  };
}

/** The greatest step of every tag. */
function noteSteps(records: readonly Uint8Array[], last: Map<string, number>): void {
  for (const record of records) {
    const { step, what } = fromBinary(EventSchema, record);
    if (what.case !== "summary") continue;
    for (const { tag } of what.value.value) last.set(tag, Math.max(last.get(tag) ?? 0, Number(step)));
  }
}

const encodeVersion = (wallTime: number): Uint8Array =>
  toBinary(
    EventSchema,
    create(EventSchema, { wallTime, what: { case: "fileVersion", value: "brain.Event:2" } }),
  );

function encodeScalars(
  step: number,
  values: readonly (readonly [tag: string, value: number])[],
  wallTime: number,
): Uint8Array {
  const value = values.map(([tag, v]) => ({ tag, value: { case: "simpleValue" as const, value: v } }));
  const what = { case: "summary" as const, value: { value } };
  return toBinary(EventSchema, create(EventSchema, { wallTime, step: BigInt(step), what }));
}
