import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkWritable, checkWritableFolder, writeFileWhole } from "../../src/host/node/files.js";
import { nearestFile } from "../../src/host/node/models.js";
import { temporaryFolder } from "../cli/models.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (...names: string[]) => join(folder.path, ...names);
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

describe("writing a file whole", () => {
  it("writes, refuses to replace, and replaces when told", async () => {
    await writeFileWhole(at("a"), "one");
    await expect(writeFileWhole(at("a"), "two")).rejects.toThrow(/exists already/);
    expect(await readFile(at("a"), "utf8")).toBe("one");
    await writeFileWhole(at("a"), "two", { force: true });
    expect(await readFile(at("a"), "utf8")).toBe("two");
    expect(await readdir(folder.path)).toEqual(["a"]);
  });

  it("leaves nothing behind when it fails", async () => {
    await mkdir(at("taken"));
    await expect(writeFileWhole(at("taken"), "x", { force: true })).rejects.toMatchObject({ code: "io" });
    await expect(writeFileWhole(at("absent", "x"), "x")).rejects.toMatchObject({ code: "not-found" });
    expect(await readdir(folder.path)).toEqual(["taken"]);
  });

  it("of two writers at once one wins and the other is told", async () => {
    const results = await Promise.allSettled([
      writeFileWhole(at("a"), "one"),
      writeFileWhole(at("a"), "two"),
    ]);
    expect(results.map((r) => r.status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await readdir(folder.path)).toEqual(["a"]);
  });
});

describe("finding out before the work", () => {
  it("passes where a file can be made, and leaves no trace", async () => {
    await checkWritable(at("new"));
    await checkWritableFolder(at("deep", "er"));
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("refuses what would fail hours later", async () => {
    await writeFile(at("file"), "");
    await expect(checkWritable(at("file"))).rejects.toThrow(/exists already/);
    await checkWritable(at("file"), { force: true });
    await expect(checkWritable(folder.path)).rejects.toThrow(/is a folder/);
    await expect(checkWritable(at("file", "x"))).rejects.toThrow(/folder/);
    await expect(checkWritable(at("absent", "x"))).rejects.toThrow(/no such file or folder/);
    await expect(checkWritableFolder(at("file", "x"))).rejects.toThrow(/folder/);
  });
});

describe("the file that was meant", () => {
  it("is the nearest one, when it is near", async () => {
    await writeFile(at("resnet20.onnx"), "");
    expect(await nearestFile(at("resnet2.onnx"), ".onnx")).toBe(at("resnet20.onnx"));
    expect(await nearestFile(at("something.onnx"), ".onnx")).toBeUndefined();
    expect(await nearestFile(at("absent", "x.onnx"), ".onnx")).toBeUndefined();
  });
});
