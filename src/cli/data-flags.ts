import type { Command } from "commander";
import { real, whole } from "./flags.js";

/** Flags of every command that reads images. */
export function dataFlags(
  command: Command,
  { required = true, size = "resize images to n × n (default: the model's own size)" } = {},
): Command {
  const about =
    "fashion-mnist, or a folder: WebDataset shards, CIFAR or IDX files, or train/CLASS/ and val/CLASS/";
  return (required ? command.requiredOption("--data <data>", about) : command.option("--data <data>", about))
    .option(
      "--normalize <how>",
      "imagenet, cifar10, none or MEAN/STD (default: what the model file says, else none)",
    )
    .option("--size <n>", size, whole("--size"))
    .option(
      "--crop <share>",
      "keep the centre of images resized to size/share; 0.875 for 224 of 256 (default: what the model file says, else 1)",
      real("--crop", { min: 0.01, max: 1 }),
    )
    .option("--limit <n>", "first n images of each split, for trials", whole("--limit"));
}
