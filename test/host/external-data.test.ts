import {
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { decodeModel } from "../../src/graph/codec.js";
import { readModel, writeModel } from "../../src/host/node/models.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { temporaryFolder, tinyClassifier } from "../cli/models.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (...names: string[]) => join(folder.path, ...names);
const tiny = decodeModel(tinyClassifier());
const weights = (m: typeof tiny) =>
  [...m.graph.initializers].map(([n, t]) => [n, t.dtype, t.dims, Buffer.from(t.bytes).toString("base64")]);
const image = Tensor.from(
  "float32",
  [1, 1, 8, 8],
  Array.from({ length: 64 }, (_, i) => Math.sin(i)),
);

async function logits(model: Parameters<ReturnType<typeof nodeEngine>["open"]>[0]): Promise<number[]> {
  const session = await nodeEngine({ threads: 1 }).open(model);
  try {
    return Array.from((await session.run(new Map([["input", image]]))).get("logits")!.numbers());
  } finally {
    await session.release();
  }
}

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

describe("a model with its weights in another file", () => {
  it("is written, read, run and made one file again without a bit of difference", async () => {
    const size = await writeModel(at("m.onnx"), tiny, { external: "always" });
    const data = await stat(at("m.onnx.data"));
    expect(size).toBe((await stat(at("m.onnx"))).size + data.size);
    // 2 × (8 × 8 × 9) and 8 × 10 floats do not fit into the model alone.
    expect(data.size).toBeGreaterThan(2_000);
    const read = await readModel(at("m.onnx"));
    expect(read.size).toBe(size);
    expect(read.runnable).toBe(at("m.onnx"));
    expect(weights(read.model)).toEqual(weights(tiny));
    const expected = await logits(tinyClassifier());
    expect(await logits(read.runnable)).toEqual(expected);
    expect(await logits(read.graph)).toEqual(expected);
    await writeModel(at("one.onnx"), read.model);
    const one = await readModel(at("one.onnx"));
    expect(one.runnable).toBeInstanceOf(Uint8Array);
    expect(weights(one.model)).toEqual(weights(tiny));
    expect(await logits(one.runnable)).toEqual(expected);
  });

  it("is looked at without its data being read", async () => {
    await writeModel(at("lazy.onnx"), tiny, { external: "always" });
    const { model } = await readModel(at("lazy.onnx"));
    const w = model.graph.initializers.get("conv2.weight")!;
    expect(w.dims).toEqual([8, 8, 3, 3]);
    // Only now, and from the file that was checked: another in its place, be it of the same length, is refused.
    const path = at("lazy.onnx.data");
    await writeFile(at("other"), (await readFile(path)).fill(1));
    await rename(at("other"), path);
    expect(() => w.bytes).toThrowError(/tensor "conv2.weight": its external data changed/);
  });

  it("is refused when its data is cut off meanwhile", async () => {
    await writeModel(at("cut.onnx"), tiny, { external: "always" });
    const { model } = await readModel(at("cut.onnx"));
    await truncate(at("cut.onnx.data"), 100);
    expect(() => model.graph.initializers.get("conv2.weight")!.data).toThrowError(
      /changed while it was in use/,
    );
    await utimes(at("cut.onnx.data"), 0, 0);
    await expect(readModel(at("cut.onnx"))).rejects.toThrowError(/ends behind the end of the file/);
  });

  it("replaces neither file without force, and leaves none of the two alone", async () => {
    await mkdir(at("kept"));
    await writeFile(at("kept", "m.onnx.data"), "mine");
    await expect(writeModel(at("kept", "m.onnx"), tiny, { external: "always" })).rejects.toThrowError(
      /m\.onnx\.data: exists already/,
    );
    expect(await readdir(at("kept"))).toEqual(["m.onnx.data"]);
    await writeFile(at("kept", "n.onnx"), "mine");
    await expect(writeModel(at("kept", "n.onnx"), tiny, { external: "always" })).rejects.toThrowError(
      /n\.onnx: exists already/,
    );
    expect((await readdir(at("kept"))).sort()).toEqual(["m.onnx.data", "n.onnx"]);
    await writeModel(at("kept", "n.onnx"), tiny, { external: "always", force: true });
    expect(weights((await readModel(at("kept", "n.onnx"))).model)).toEqual(weights(tiny));
  });

  it("is read and run through links where that is asked for", async () => {
    await mkdir(at("blobs"));
    await mkdir(at("snapshot"));
    await writeModel(at("blobs", "m.onnx"), tiny, { external: "always" });
    await symlink("../blobs/m.onnx", at("snapshot", "m.onnx"));
    await symlink("../blobs/m.onnx.data", at("snapshot", "m.onnx.data"));
    await expect(readModel(at("snapshot", "m.onnx"))).rejects.toThrowError(
      /reached through a link.*--allow-external-links/,
    );
    const read = await readModel(at("snapshot", "m.onnx"), { externalLinks: true });
    expect(await logits(read.runnable)).toEqual(await logits(tinyClassifier()));
    await link(at("blobs", "m.onnx.data"), at("blobs", "second"));
    await expect(readModel(at("blobs", "m.onnx"))).rejects.toThrowError(/second name/);
    const linked = await readModel(at("blobs", "m.onnx"), { externalLinks: true });
    expect(await logits(linked.runnable)).toEqual(await logits(tinyClassifier()));
  });

  it("cannot be read from bytes alone", async () => {
    await writeModel(at("alone.onnx"), tiny, { external: "always" });
    const bytes = await readFile(at("alone.onnx"));
    expect(() => decodeModel(bytes)).toThrowError(/external data.*not at hand/);
  });
});
