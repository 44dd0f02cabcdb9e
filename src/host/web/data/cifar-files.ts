import { cifar10Classes, cifarCount, cifarShape, type findCifar, readCifar } from "../../../data/cifar.js";
import { classNames, numbers } from "../../../data/class-names.js";
import { imageBytes } from "../../../data/data-set.js";
import { readBlob } from "../read-blob.js";
import type { Source, StoredSplit } from "./source.js";

const size = imageBytes(cifarShape);

/** CIFAR's binary files, as on Node; they are read at once, and their pixels kept. */
export async function readCifarFiles(
  byName: ReadonlyMap<string, File>,
  { kind, train, test }: NonNullable<ReturnType<typeof findCifar>>,
): Promise<Source> {
  const read = async (names: readonly string[]): Promise<StoredSplit | undefined> => {
    if (names.length === 0) return undefined;
    const files = names.map((name) => byName.get(name)!);
    const counts = files.map((file) => cifarCount(file.size, kind, file.name));
    const total = counts.reduce((a, b) => a + b);
    const pixels = new Uint8Array(total * size);
    const labels = new Int32Array(total);
    let at = 0;
    for (const [i, file] of files.entries()) {
      const end = at + counts[i]!;
      const bytes = await readBlob(file, file.name);
      readCifar(bytes, kind, file.name, pixels.subarray(at * size, end * size), labels.subarray(at, end));
      at = end;
    }
    return {
      labels,
      locate: (index) => ({
        name: `image ${index} of ${names.join(", ")}`,
        image: { ...cifarShape, data: pixels.subarray(index * size, (index + 1) * size) },
      }),
    };
  };
  const fine = (await byName.get("fine_label_names.txt")?.text()) ?? "";
  const classes = kind === "cifar-10" ? cifar10Classes : (classNames(fine) ?? numbers(100));
  return { classes, train: await read(train), test: await read(test) };
}
