import { type ExaminedSwap, examinedPage } from "scconv";
import { opened } from "../models/slots.js";
import { saveFile, stemOf } from "../parts/save-file.js";
import { lastAnswer, settings } from "../what-if/choice.js";
import { timesNow } from "./times-now.js";

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
