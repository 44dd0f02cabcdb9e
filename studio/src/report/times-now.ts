import { type ExaminedTimes, formatMs } from "scconv";
import { backends, results } from "../latency/measure.js";
import type { Timing } from "../worker/protocol.js";

/** What was measured of the models that are open. */
export const timesNow = (): ExaminedTimes[] =>
  backends().flatMap(({ id, title }) => {
    const measured = results.peek().get(id);
    if (measured?.kind !== "done") return [];
    return [{ title, note: noteOf(measured.timing), models: measured.timing.models }];
  });

const noteOf = ({ runtime, threads, device, startMs, notes }: Timing): string =>
  [
    `${runtime}, ${threads} ${threads === 1 ? "thread" : "threads"}${device ? `, ${device}` : ""}`,
    "the models took turns, one inference each",
    `the engine's own start took ${formatMs(startMs)}`,
    ...notes,
  ].join("; ");
