import { execFileSync } from "node:child_process";
import { link, mkdir, open, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readModel } from "../../src/host/node/models.js";
import { bounded, cli, hostileFolder, refusal } from "./refused.js";
import { elsewhere, initializer, node, relu, tensor, tensorAttr } from "./wire.js";

const { refuses, at } = hostileFolder();
const invalid = refusal("invalid-graph");
const bad = refusal("bad-input");

/** Four floats that are said to lie at `location`. */
const model = (location: string, facts?: Readonly<Record<string, string>>) =>
  relu([initializer("w", [4], 1, elsewhere(location, facts))]);

describe("places that are refused as text", () => {
  it.each<[string, string, RegExp]>([
    ["nothing", "", /is not given/],
    ["the folder above", "../x", /leads out of the model's folder/],
    ["a way out and back", "a/../../x", /leads out of the model's folder/],
    ["two dots at the end", "a/..", /leads out of the model's folder/],
    ["an absolute path", "/etc/passwd", /is absolute/],
    ["a backslash", "..\\x", /holds a backslash/],
    ["a Windows share", "\\\\host\\share", /holds a backslash/],
    ["a drive letter", "C:/x", /URL or begins with a drive letter/],
    ["a drive without a root", "C:x", /URL or begins with a drive letter/],
    ["a file: URL", "file:///etc/passwd", /URL or begins with a drive letter/],
    ["another URL", "https://example.org/w", /URL or begins with a drive letter/],
    ["a NUL", "w\u0000.bin", /holds control characters, need .*got "w\\u0000.bin"/],
    ["a line break", "w\n.bin", /holds control characters/],
    ["the engine's mark for memory", "*/_ORT_MEM_ADDR_/*", /engine's mark for an address in memory/],
    ["the same in the machine's byte order", "*/_ORT_NATIVE_ENDIAN_MEM_ADDR_/*", /engine's mark/],
    ["the folder itself", ".", /is not the name of a file/],
    ["a folder's name", "a/", /is not the name of a file/],
    ["a name of 10,000 letters", "w".repeat(10_000), /longer than any path/],
  ])("%s", (_, location, says) => refuses(model(location, { offset: "0", length: "16" }), invalid(says)));

  it("percent escapes are letters: nothing decodes them", () =>
    refuses(model("%2e%2e%2fx"), {
      code: "not-found",
      says: /got "%2e%2e%2fx".*has to lie beside the model/,
    }));
  it("a place that is named twice", () =>
    refuses(
      relu([initializer("w", [4], 1, elsewhere("a.bin"), elsewhere("b.bin").slice(0, -2))]),
      invalid(/ambiguous, .*"location" twice/),
    ));
  it("inside an attribute, too", () =>
    refuses(
      relu([node("Constant", [], ["k"], tensorAttr("value", tensor("w", [4], 1, elsewhere("../x"))))]),
      invalid(/Constant "k": tensor "w": the place .* leads out/),
    ));
});

describe("offsets and lengths", () => {
  const facts = (offset: string, length?: string) => ({
    offset,
    ...(length === undefined ? {} : { length }),
  });
  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      "an offset past the end",
      facts("100", "16"),
      /ends behind the end of the file, need 100 \+ 16 bytes, got a file of 64/,
    ],
    ["a length past the end", facts("60", "16"), /ends behind the end/],
    ["no length, past the end", facts("60"), /ends behind the end/],
    ["a length of too few bytes", facts("0", "8"), /does not fill its dimensions, need 16 bytes, got 8/],
    ["a length of too many", facts("0", "64"), /does not fill its dimensions, need 16 bytes, got 64/],
    [
      "an offset below 0",
      facts("-16", "16"),
      /offset of its external data is not a number of bytes, .*got "-16"/,
    ],
    ["an offset in words", facts("here", "16"), /is not a number of bytes/],
    ["an offset of 2⁶⁴ + 1", facts("18446744073709551617", "16"), /is not a number of bytes/],
    ["an offset of 2⁵³ + 1", facts("9007199254740993", "16"), /is not a number of bytes/],
    ["hexadecimal", facts("0x10", "16"), /is not a number of bytes/],
    ["an exponent", facts("1e1", "16"), /is not a number of bytes/],
  ])("%s", async (_, given, says) => {
    await writeFile(at("w.bin"), new Uint8Array(64));
    await refuses(model("w.bin", given), invalid(says));
  });

  it("1 TB on a file of 64 bytes", () =>
    refuses(relu([initializer("w", [2 ** 38], 1, elsewhere("w.bin"))]), invalid(/ends behind the end/)));
});

describe("what lies there", () => {
  const linked = bad(/is reached through a link.*--allow-external-links/);
  it("nothing", () =>
    refuses(model("absent.bin"), { code: "not-found", says: /no such file.*got "absent.bin"/ }));
  it("a folder", async () => {
    await mkdir(at("folder"));
    await refuses(model("folder"), bad(/is no regular file/));
  });
  it("a file as a folder", async () => {
    await writeFile(at("plain"), new Uint8Array(16));
    await refuses(model("plain/w.bin"), { code: "not-found", says: /not a folder/ });
  });
  it("a FIFO, which nobody ever writes to", async () => {
    execFileSync("mkfifo", [at("fifo")]);
    await refuses(model("fifo"), bad(/is no regular file/));
  });
  it("a link to a file outside", async () => {
    await symlink("/etc/passwd", at("passwd"));
    await refuses(model("passwd"), linked);
  });
  it("a link to a file beside it", async () => {
    await symlink("plain", at("alias"));
    await refuses(model("alias"), linked);
  });
  it("a link to nothing", async () => {
    await symlink("nowhere", at("dangling"));
    await refuses(model("dangling"), linked);
  });
  it("a link to itself, also where links are allowed", async () => {
    await symlink("loop", at("loop"));
    await refuses(model("loop"), linked);
    await refuses(model("loop"), bad(/is reached through a link/), ["--allow-external-links"]);
  });
  it("a folder on the way that is a link", async () => {
    await mkdir(at("real"));
    await writeFile(at("real", "w.bin"), new Uint8Array(16));
    await symlink("real", at("way"));
    await refuses(model("way/w.bin"), linked);
  });
  it("a file of two names", async () => {
    await writeFile(at("first"), new Uint8Array(16));
    await link(at("first"), at("second"));
    await refuses(model("second"), bad(/has a second name \(a hard link\).*--allow-external-links/));
  });
  it("a device, by a link that is allowed", async () => {
    await symlink("/dev/zero", at("zero"));
    await refuses(model("zero"), bad(/is no regular file/), ["--allow-external-links"]);
  });
  it("a FIFO, by a link that is allowed", async () => {
    await symlink("fifo", at("pipe"));
    await refuses(model("pipe"), bad(/is no regular file/), ["--allow-external-links"]);
  });

  it("what is in order is read, links included where they are allowed", async () => {
    for (const [location, externalLinks] of [
      ["plain", false],
      ["./plain", false],
      ["real/w.bin", false],
      ["alias", true],
      ["way/w.bin", true],
      ["second", true],
    ] as const) {
      await writeFile(at("ok.onnx"), model(location));
      const { model: read } = await readModel(at("ok.onnx"), { externalLinks });
      expect(Array.from(read.graph.initializers.get("w")!.numbers())).toEqual([0, 0, 0, 0]);
    }
  });
});

describe("the model's own path", () => {
  it.each([
    ["a FIFO", () => at("fifo")],
    ["a device that does not end", () => "/dev/zero"],
  ])("%s is not waited for", async (_, path) => {
    const { status, stderr } = await bounded(() => cli(["inspect", path()]));
    expect(stderr).toMatch(/is no regular file/);
    expect(status).toBe(1);
  });

  it("a file of 3 GB is refused before it is read", async () => {
    const file = await open(at("sparse.onnx"), "w");
    await file.truncate(3e9);
    await file.close();
    const { status, stderr } = await bounded(() => cli(["inspect", at("sparse.onnx")]));
    expect(stderr).toMatch(/is too large, need at most 2.15 GB, got 3 GB/);
    expect(status).toBe(1);
  });

  it("nothing was written all along", async () => {
    expect((await readdir(at())).filter((n) => n.startsWith("out"))).toEqual([]);
    expect((await stat(at("first"))).nlink).toBe(2);
  });
});
