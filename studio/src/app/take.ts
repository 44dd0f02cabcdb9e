import { signal } from "@preact/signals";
import { printable } from "scconv";
import { showImage } from "../features/look.js";
import { first, opened } from "../models/slots.js";
import { modelFor, sortFiles } from "../models/take-files.js";

/** A line about files that could not be used. */
export const refusal = signal<string | undefined>(undefined);

/** Files that were dropped anywhere in the page. */
export function takeFiles(files: readonly File[]): void {
  refusal.value = undefined;
  const sorted = sortFiles(files);
  const model = modelFor(first, sorted);
  if (model) {
    void first.open(model);
    return;
  }
  const [image] = sorted.images;
  if (image && sorted.images.length === 1 && opened.peek()) {
    showImage(image);
    location.hash = "#features";
    return;
  }
  refusal.value =
    files.length === 0 ? "Nothing was dropped." : `No .onnx file among what was dropped: ${listOf(files)}`;
}

const listOf = (files: readonly File[]): string =>
  files
    .slice(0, 3)
    .map((f) => printable(f.name, 80))
    .join(", ") + (files.length > 3 ? ` and ${files.length - 3} more` : "");
