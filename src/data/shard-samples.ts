import { ScconvError } from "../base/errors.js";
import { byName, imageName, imageNames } from "./image-names.js";

/** A class index is data from outside: a bound keeps a typing mistake from becoming a list of a billion names. */
const mostClasses = 100_000;
/** Bytes of a file that holds one. */
export const longestLabel = 64;

/** Puts the entries of one WebDataset shard together: `T` says where an image lies. */
export interface ShardSamples<T> {
  /** What to do with the regular file of this name; undefined: pass it over. */
  kindOf(name: string): "image" | "label" | undefined;
  image(name: string, place: T): void;
  label(name: string, text: string): void;
  /** The error of a label of more than `longestLabel` bytes, which need not be read. */
  tooLong(name: string, bytes: number): ScconvError;
  /** The samples in the order of their images. Throws `bad-input` where an image or a label is alone. */
  all(): (T & { readonly name: string; readonly label: number })[];
}

/** Entries belong together by WebDataset's key, the path up to the first dot of the file name. */
export function shardSamples<T extends object>(where: string): ShardSamples<T> {
  const images = new Map<string, T & { readonly name: string }>();
  const classes = new Map<string, number>();
  const bad = (what: string, need: string) => new ScconvError("bad-input", what, { where, need });
  return {
    kindOf(name) {
      const { key, extension } = splitName(name);
      if (key === "") return undefined;
      if (extension === "cls") return "label";
      return imageName.test(`.${extension}`) ? "image" : undefined;
    },
    image(name, place) {
      const { key } = splitName(name);
      if (images.has(key)) throw bad(`two images have the key ${key}`, "one image for each .cls");
      images.set(key, { ...place, name });
    },
    label(name, text) {
      classes.set(splitName(name).key, readLabel(text, `${where}: ${name}`));
    },
    tooLong: (name, bytes) => notAnIndex(`${where}: ${name}`, `${bytes} bytes`),
    all() {
      for (const key of classes.keys()) {
        if (!images.has(key)) throw bad(`label ${key}.cls is without its image`, `${key}.${imageNames}`);
      }
      return Array.from(images, ([key, image]) => {
        const label = classes.get(key);
        if (label === undefined) throw bad(`image ${image.name} is without its label`, `${key}.cls`);
        return { ...image, label };
      });
    },
  };
}

function splitName(name: string): { key: string; extension: string } {
  const slash = name.lastIndexOf("/");
  const dot = name.indexOf(".", slash + 1);
  // A file name that starts with a dot (macOS writes ._000.jpg beside 000.jpg) is no sample.
  if (dot <= slash + 1) return { key: "", extension: "" };
  return { key: name.slice(0, dot), extension: name.slice(dot + 1).toLowerCase() };
}

function readLabel(text: string, where: string): number {
  if (text.length > longestLabel) throw notAnIndex(where, `${text.length} bytes`);
  if (!/^\s*\d+\s*$/.test(text) || Number(text) >= mostClasses) throw notAnIndex(where, `"${text}"`);
  return Number(text);
}

const notAnIndex = (where: string, got: string): ScconvError =>
  new ScconvError("bad-input", "not a class index", {
    where,
    need: `a class index from 0 to ${mostClasses - 1} in text`,
    got,
  });

/** The shards among these file names; `val-*` is preferred to `test-*`, which in some sets has no labels. */
export function findShards(names: readonly string[]): Shards {
  const of = (split: string) =>
    names.filter((n) => n.startsWith(`${split}-`) && n.endsWith(".tar")).sort(byName);
  const val = of("val");
  return { train: of("train"), test: val.length > 0 ? val : of("test") };
}

export interface Shards {
  /** File names by split, in the order in which they are read. */
  readonly train: readonly string[];
  readonly test: readonly string[];
}
