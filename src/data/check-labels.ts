import { ScconvError } from "../base/errors.js";

interface LabelledSplit {
  readonly labels: Int32Array;
  /** Of the image at a position, for messages. */
  readonly nameOf: (index: number) => string;
}

/** Every split has images, and every label a class; else throws `bad-input`, naming the image. */
export function checkLabels(
  where: string,
  classes: readonly string[],
  { train, test }: { readonly train: LabelledSplit | undefined; readonly test: LabelledSplit | undefined },
): void {
  for (const split of [train, test]) {
    if (!split) continue;
    const name = split === train ? "training" : "evaluation";
    if (split.labels.length === 0) {
      throw new ScconvError("bad-input", `the ${name} split has no images`, { where });
    }
    const at = split.labels.findIndex((label) => label >= classes.length);
    if (at < 0) continue;
    throw new ScconvError("bad-input", "a class index is beyond the classes", {
      where: `${where}, ${split.nameOf(at)}`,
      got: `${split.labels[at]}`,
      need: `0 … ${classes.length - 1}`,
      hint: "the two splits disagree, or classes.txt is too short",
    });
  }
}
