import { describe, expect, it } from "vitest";
import { decodeModel, encodeModel, encodePieces } from "../../src/graph/codec.js";
import { bytesOfPieces, layOut } from "../../src/graph/data-file.js";
import { limits } from "../../src/graph/limits.js";
import { openModelFile } from "../../src/host/web/open-model-file.js";
import { tinyClassifier } from "../cli/models.js";
import { elsewhere, initializer, relu } from "../hostile/wire.js";

// `File` and `Blob` are the same in Node: what a browser adds is how one comes by them.

const tiny = decodeModel(tinyClassifier());
const weights = (m: typeof tiny) =>
  [...m.graph.initializers].map(([n, t]) => [n, t.dtype, t.dims, Buffer.from(t.bytes).toString("base64")]);

const file = (bytes: Uint8Array | Iterable<Uint8Array>, name: string, folder = "") => {
  const parts = bytes instanceof Uint8Array ? [bytes] : [...bytes];
  const made = new File(parts as Uint8Array<ArrayBuffer>[], name);
  return Object.assign(made, { webkitRelativePath: folder && `${folder}/${name}` });
};

/** The tiny classifier in two files; the model says that the second lies at `location`. */
function inTwo(location = "tiny.onnx.data") {
  const data = layOut(tiny.graph, location);
  const { pieces } = encodePieces(tiny, { external: (name) => data.places.get(name) });
  const name = location.slice(location.lastIndexOf("/") + 1);
  return { model: file(bytesOfPieces(pieces), "tiny.onnx"), data: file(bytesOfPieces(data.pieces), name) };
}

/** Four floats that are said to lie at `location`. */
const four = (location: string, facts: Readonly<Record<string, string>> = {}, ...more: string[]) =>
  relu([location, ...more].map((l, i) => initializer(`w${i}`, [4], 1, elsewhere(l, facts))));
const floats = (name: string, folder = "") => file(new Uint8Array(16), name, folder);

describe("a model as a file", () => {
  it("is read from a File, a Blob or bytes, as it is on Node", async () => {
    const bytes = encodeModel(tiny);
    for (const given of [bytes, new Blob([bytes as Uint8Array<ArrayBuffer>]), file(bytes, "tiny.onnx")]) {
      const opened = await openModelFile(given);
      expect(weights(opened.model)).toEqual(weights(tiny));
      expect(opened.runnable).toBe(opened.bytes);
      expect(opened.size).toBe(bytes.byteLength);
      expect(opened.graph.opsets.get("")).toBe(18);
    }
  });

  it("is named in what is wrong with it", async () => {
    const bad = file(new TextEncoder().encode("<!doctype html>"), "model.onnx");
    await expect(openModelFile(bad)).rejects.toThrowError(
      /^model\.onnx: not (a readable|an) ONNX model: it is a web page/,
    );
    await expect(openModelFile(new Uint8Array(0), { name: "given" })).rejects.toThrowError(/^given: /);
    const cut = encodeModel(tiny).subarray(0, 900);
    await expect(openModelFile(file(cut, "cut.onnx"))).rejects.toMatchObject({ code: "not-an-onnx-file" });
  });

  it("of more than the format holds is refused before it is read", async () => {
    const large = Object.defineProperty(floats("large.onnx"), "size", { value: limits.fileBytes + 1 });
    Object.defineProperty(large, "arrayBuffer", { value: () => expect.fail("read") });
    await expect(openModelFile(large)).rejects.toThrowError(/^large\.onnx: is too large, need at most /);
  });

  it("that is gone meanwhile is an error that says so", async () => {
    const gone = Object.defineProperty(floats("gone.onnx"), "arrayBuffer", {
      value: () => Promise.reject(new Error("The file could not be read")),
    });
    await expect(openModelFile(gone)).rejects.toMatchObject({ code: "io" });
  });
});

describe("weights in another file", () => {
  it("are found by its name, and make the same model", async () => {
    const { model, data } = inTwo();
    const opened = await openModelFile(model, { external: [floats("other"), data] });
    expect(weights(opened.model)).toEqual(weights(tiny));
    expect(opened.size).toBe(model.size + data.size);
    // The engine cannot look for files: it gets the graph, weights and all.
    expect(opened.runnable).toBe(opened.model.graph);
  });

  it("are found in the folder that was chosen", async () => {
    const { model, data } = inTwo("weights/w.bin");
    const right = Object.assign(data, { webkitRelativePath: "chosen/weights/w.bin" });
    const wrong = file(new Uint8Array(data.size), "w.bin", "chosen/elsewhere");
    for (const external of [[data], [wrong, right], [right, wrong]]) {
      expect(weights((await openModelFile(model, { external })).model)).toEqual(weights(tiny));
    }
  });

  it.each<[string, Uint8Array, File[], RegExp]>([
    ["a file that is not there", four("w.bin"), [], /not among the files, need "w.bin", got the model alone/],
    ["a file of another name", four("w.bin"), [floats("v.bin")], /need "w.bin", got "v.bin"/],
    ["a way out of the folder", four("../w.bin"), [floats("w.bin")], /leads out of the model's folder/],
    ["an absolute path", four("/w.bin"), [floats("w.bin")], /is absolute/],
    ["a URL", four("https://example.org/w.bin"), [floats("w.bin")], /URL or begins with a drive letter/],
    ["two of one name", four("w.bin"), [floats("w.bin"), floats("w.bin")], /external data is ambiguous/],
    ["one for two places", four("a/w.bin", {}, "b/w.bin"), [floats("w.bin")], /external data is ambiguous/],
    ["a range behind its end", four("w.bin", { offset: "4" }), [floats("w.bin")], /ends behind the end/],
    ["a range of another length", four("w.bin", { length: "12" }), [floats("w.bin")], /does not fill/],
  ])("%s is refused", async (_, model, external, says) => {
    await expect(openModelFile(model, { external, name: "m.onnx" })).rejects.toThrowError(says);
    await expect(openModelFile(model, { external, name: "m.onnx" })).rejects.toThrowError(/^m\.onnx: /);
  });
});
