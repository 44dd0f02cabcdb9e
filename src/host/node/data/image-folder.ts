import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ScconvError } from "../../../base/errors.js";
import { byName, imageName, imageNames } from "../../../data/image-names.js";
import { inTurns } from "../../../data/in-turns.js";
import { type PackedNames, packedNames } from "./packed-names.js";
import type { Source, StoredSplit } from "./sources.js";

/** The folders of an image folder's splits; `val` is preferred to `test`, as with shards. */
export function findImageFolders(folders: readonly string[]): {
  train: string | undefined;
  test: string | undefined;
} {
  const has = (name: string) => (folders.includes(name) ? name : undefined);
  return { train: has("train"), test: has("val") ?? has("test") };
}

/**
 * `train/CLASS/*.jpg` and `val/CLASS/*.jpg`: classes are numbered by the order of their names in the training split.
 * Images come in turn from each class (the first of every class, then the second …), so that the first N of a split
 * are a fair sample of it.
 */
export async function readImageFolder(
  folder: string,
  splits: { train: string | undefined; test: string | undefined },
): Promise<Source> {
  const train = splits.train === undefined ? undefined : await listClasses(folder, splits.train);
  const test = splits.test === undefined ? undefined : await listClasses(folder, splits.test);
  const classes = [...(train ?? test ?? new Map()).keys()];
  for (const name of test?.keys() ?? []) {
    if (!classes.includes(name)) {
      throw new ScconvError("bad-input", "the two splits disagree", {
        where: folder,
        got: `class "${name}" in ${splits.test} that ${splits.train} does not have`,
        need: "the same class folders in both",
      });
    }
  }
  return {
    classes,
    train: train && interleave(join(folder, splits.train!), train, classes),
    test: test && interleave(join(folder, splits.test!), test, classes),
  };
}

/** File names by class. Links to folders and files are followed: they are the user's own, and the usual way to make a subset. */
async function listClasses(folder: string, split: string): Promise<Map<string, string[]>> {
  const at = join(folder, split);
  const classes = new Map<string, string[]>();
  for (const entry of await list(at)) {
    if (entry.isFile()) continue;
    const files = (await list(join(at, entry.name)))
      .filter((f) => !f.isDirectory() && imageName.test(f.name))
      .map((f) => f.name);
    if (files.length === 0) {
      throw new ScconvError("bad-input", "class folder has no image", {
        where: join(at, entry.name),
        need: `files that end in ${imageNames}`,
      });
    }
    classes.set(entry.name, files);
  }
  if (classes.size === 0) {
    throw new ScconvError("bad-input", "split has no class folder", {
      where: at,
      need: `${split}/CLASS/*.jpg`,
    });
  }
  return classes;
}

const list = async (folder: string): Promise<Dirent[]> =>
  (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => !entry.name.startsWith("."))
    .sort((a, b) => byName(a.name, b.name));

function interleave(
  folder: string,
  files: ReadonlyMap<string, readonly string[]>,
  classes: readonly string[],
): StoredSplit {
  const names = packedNames();
  const labels = new Int32Array([...files.values()].reduce((sum, list) => sum + list.length, 0));
  for (const [label, file] of inTurns(classes.map((name) => files.get(name) ?? []))) {
    labels[names.length] = label;
    names.add(file);
  }
  return packed(folder, classes, labels, names);
}

/** Apart from `interleave`, so that what looks up a place does not keep alive the lists that it came from. */
function packed(
  folder: string,
  classes: readonly string[],
  labels: Int32Array,
  names: PackedNames,
): StoredSplit {
  return {
    kind: "encoded",
    labels,
    locate(i) {
      const path = join(folder, classes[labels[i]!]!, names.at(i));
      return { path, name: path };
    },
  };
}
