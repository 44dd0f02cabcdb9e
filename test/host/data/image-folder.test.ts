import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { packedNames } from "../../../src/host/node/data/packed-names.js";
import { tempFolder } from "./fixtures.js";

it("names come back from their bytes", () => {
  const names = packedNames();
  const given = Array.from({ length: 1000 }, (_, i) =>
    i % 7 === 0 ? "" : `Bild ${i} — ñ${"x".repeat(i % 40)}.jpg`,
  );
  for (const name of given) names.add(name);
  expect(names.length).toBe(1000);
  expect(given.map((_, i) => names.at(i))).toEqual(given);
});

it("a folder of 100,000 images takes a few dozen bytes for each, and none of them is opened", async () => {
  const root = await tempFolder();
  const [classes, each] = [200, 500];
  for (let c = 0; c < classes; c++) {
    const folder = join(root, "data", "train", `n${10000000 + c}`);
    mkdirSync(folder, { recursive: true });
    // Empty files: opening one as an image would fail.
    for (let i = 0; i < each; i++) writeFileSync(join(folder, `n${10000000 + c}_${i}.JPEG`), "");
  }
  const script = join(root, "index.mjs");
  const module = pathToFileURL(join(process.cwd(), "dist/host/node/data/image-folder.js")).href;
  writeFileSync(
    script,
    `import { readImageFolder } from ${JSON.stringify(module)};
const memory = () => {
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
const before = memory();
const { train, classes } = await readImageFolder(process.argv[2], { train: "train", test: undefined });
const bytes = memory() - before;
console.log(JSON.stringify({ bytes, images: train.labels.length, classes: classes.length, last: train.locate(99999), label: train.labels[99999] }));
`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script, join(root, "data")]);
  const { bytes, images, last, label, ...rest } = JSON.parse(stdout);
  expect({ images, ...rest }).toEqual({ images: classes * each, classes });
  expect(last.path).toBe(join(root, "data", "train", "n10000199", "n10000199_499.JPEG"));
  expect(label).toBe(199);
  expect(bytes / images).toBeLessThan(60);
}, 120_000);
