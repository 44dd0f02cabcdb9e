import { effect, signal } from "@preact/signals";
import { printable } from "scconv";
import { openSecond } from "../compare/comparison.js";
import { showImage } from "../features/look.js";
import { first, opened, second } from "../models/slots.js";
import { modelFor, type Sorted, sortFiles } from "../models/take-files.js";
import { takeImages } from "../training/images.js";
import { busy } from "../training/training.js";
import { view } from "./views.js";

/** A line about files that could not be used. */
export const refusal = signal<string | undefined>(undefined);
effect(() => {
  if (!busy.value) refusal.value = undefined;
});

/** Files that were dropped anywhere in the page. */
export function takeFiles(files: readonly File[]): void {
  refusal.value = undefined;
  if (busy.peek()) {
    refusal.value = "Training is under way: stop it before other files are opened.";
    return;
  }
  const sorted = sortFiles(files);
  if (opened.peek() && view.peek() === "compare") {
    const other = modelFor(second, sorted);
    if (other) {
      openSecond(other);
      return;
    }
  }
  const model = modelFor(first, sorted);
  if (model) {
    void first.open(model);
    if (sorted.models.length > 1)
      refusal.value = `One model at a time is opened: not ${listOf(sorted.models.slice(1))}. A second one is laid beside it under Compare.`;
    return;
  }
  if (opened.peek() && (view.peek() === "train" || areTraining(sorted))) {
    takeImages(files);
    location.hash = "#train";
    return;
  }
  const [image] = sorted.images;
  if (image && sorted.images.length === 1 && opened.peek()) {
    showImage(image);
    if (view.peek() !== "compare") location.hash = "#features";
    return;
  }
  const sought = opened.peek() ? "Neither a model nor images" : "No .onnx file";
  refusal.value =
    files.length === 0 ? "Nothing was dropped." : `${sought} among what was dropped: ${listOf(files)}`;
}

/** Images in numbers, shards or CIFAR's files. */
const areTraining = ({ images, shards, others }: Sorted): boolean =>
  images.length > 1 || shards.length > 0 || others.some((f) => /\.bin$/i.test(f.name));

const listOf = (files: readonly File[]): string =>
  files
    .slice(0, 3)
    .map((f) => printable(f.name, 80))
    .join(", ") + (files.length > 3 ? ` and ${files.length - 3} more` : "");
