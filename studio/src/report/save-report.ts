import { type ExaminedSwap, type ExaminedTimes, examinedPage, formatMs } from "scconv";
import { backends, results } from "../latency/measure.js";
import { opened } from "../models/slots.js";
import { saveFile, stemOf } from "../parts/save-file.js";
import { lastAnswer, settings } from "../what-if/choice.js";
import type { Timing } from "../worker/protocol.js";

declare const SCCONV_VERSION: string;

/** What the page knows of the open model as one file: its layers, the swap that is chosen, and times, where they were measured. */
export function saveReport(): void {
  const { table, size, name } = opened.peek()!.summary;
  const page = examinedPage({
    inspected: { ...table, bytes: size },
    ...{ file: name, version: SCCONV_VERSION, swap: swapNow(), times: timesNow() },
  });
  saveFile(`${stemOf(name)}-report.html`, page, "text/html");
}

function swapNow(): ExaminedSwap | undefined {
  const found = lastAnswer.peek();
  if (!found) return undefined;
  return {
    rows: found.rows,
    parameters: found.parameters,
    macs: found.macs,
    settings: { ...settings.peek() },
  };
}

const timesNow = (): ExaminedTimes[] =>
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
