import { ScconvError } from "../../../base/errors.js";
import { byName, imageName } from "../../../data/image-names.js";
import { inTurns } from "../../../data/in-turns.js";
import type { PlacedFile } from "./placed-file.js";
import type { Source, StoredSplit } from "./source.js";

type Classes = ReadonlyMap<string, readonly PlacedFile[]>;

/**
 * `train/CLASS/*.jpg` with `val/` or `test/`, in whatever folder; or `CLASS/*.jpg` alone, all for training. Classes are numbered by
 * the order of their names, and their images come in turn, as on Node. Undefined where there is no image in a folder.
 */
export function readImageFolder(files: readonly PlacedFile[]): Source | undefined {
  const images = files.filter(({ path }) => imageName.test(path) && !/(^|\/)\./.test(path));
  const of = (split: string) => byClass(images, new RegExp(`(?:^|/)${split}/([^/]+)/[^/]+$`));
  const [train, val, test] = [of("train"), of("val"), of("test")];
  if (train.size + val.size + test.size > 0) return inSplits(train, val.size > 0 ? val : test);
  const all = byClass(images, /([^/]+)\/[^/]+$/);
  return all.size === 0 ? undefined : inSplits(all, new Map());
}

function byClass(images: readonly PlacedFile[], pattern: RegExp): Classes {
  const classes = new Map<string, PlacedFile[]>();
  for (const image of images) {
    const name = pattern.exec(image.path)?.[1];
    if (name === undefined) continue;
    const list = classes.get(name);
    if (list) list.push(image);
    else classes.set(name, [image]);
  }
  const sorted = [...classes].sort(([a], [b]) => byName(a, b));
  return new Map(sorted.map(([name, list]) => [name, list.sort((a, b) => byName(a.path, b.path))]));
}

function inSplits(train: Classes, test: Classes): Source {
  const classes = [...(train.size > 0 ? train : test).keys()];
  const unknown = [...test.keys()].find((name) => !classes.includes(name));
  if (unknown !== undefined) {
    throw new ScconvError("bad-input", "the two splits disagree", {
      got: `class "${unknown}" in evaluation that training does not have`,
      need: "the same class folders in both",
    });
  }
  const of = (split: Classes) => (split.size > 0 ? splitOf(split, classes) : undefined);
  return { classes, train: of(train), test: of(test) };
}

function splitOf(files: Classes, classes: readonly string[]): StoredSplit {
  const images = [...inTurns(classes.map((name) => files.get(name) ?? []))];
  return {
    labels: Int32Array.from(images, ([label]) => label),
    locate(index) {
      const { file, path } = images[index]![1];
      return { blob: file, name: path };
    },
  };
}
