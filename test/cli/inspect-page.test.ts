import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { encodeModel } from "../../src/graph/codec.js";
import { modelOf } from "../../src/graph/model.js";
import { conv, relu } from "../../src/ops/emit.js";
import { graphBuilder } from "../../src/ops/index.js";
import { temporaryFolder } from "./models.js";
import { runCli } from "./run-cli.js";

const markup = "<img src=x onerror=alert(1)>";
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (name: string) => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  const b = graphBuilder({ name: "two" });
  const x = b.input("input", "float32", [1, 4, 8, 8]);
  const weights = Tensor.from(
    "float32",
    [4, 4, 3, 3],
    Array.from({ length: 144 }, (_, i) => ((i * 7) % 11) - 5),
  );
  const w = b.parameter("w", weights);
  const first = relu(conv(x, w, undefined, { pads: [1, 1, 1, 1] }, "first"));
  b.output(conv(first, w, undefined, { pads: [1, 1, 1, 1] }, markup), "output");
  await writeFile(at("two.onnx"), encodeModel(modelOf(b.build())));
});
afterAll(() => folder.remove());

describe("inspect --html", () => {
  it("is a page of the layers, in which names are text", async () => {
    const { status, stderr } = await runCli(["inspect", at("two.onnx"), "--html", at("page.html")]);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const page = await readFile(at("page.html"), "utf8");
    expect(page).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(page).not.toContain(markup);
    expect(page).toContain("Content-Security-Policy");
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    for (const text of ["two.onnx", "first", "1×4×8×8", "multiply-adds"]) expect(page).toContain(text);
    // Nothing was timed, and no images were given.
    expect(page).not.toMatch(/<th[^>]*>(time|redundancy)</);
  });

  it("replaces a page only when told to, and says where there is no folder", async () => {
    await writeFile(at("mine.html"), "mine");
    const again = await runCli(["inspect", at("two.onnx"), "--html", at("mine.html")]);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/mine\.html.*--force/);
    expect(await readFile(at("mine.html"), "utf8")).toBe("mine");
    const forced = await runCli(["inspect", at("two.onnx"), "--html", at("mine.html"), "--force"]);
    expect(forced.status).toBe(0);
    const nowhere = await runCli(["inspect", at("two.onnx"), "--html", at("no/such/page.html")]);
    expect(nowhere.status).toBe(1);
    expect(nowhere.stderr.trim().split("\n")).toHaveLength(1);
  });

  it("--time gives every layer its share, in the document as well", async () => {
    const { stdout, status } = await runCli([
      ...["inspect", at("two.onnx"), "--time", "--threads", "1", "--json", "--html", at("timed.html")],
    ]);
    expect(status).toBe(0);
    const { layers, timing } = JSON.parse(stdout);
    expect(timing).toMatchObject({ threads: 1, runs: 30 });
    const convolutions = layers.filter((l: { op: string }) => l.op === "Conv");
    expect(convolutions).toHaveLength(2);
    for (const { ms } of convolutions) {
      expect(ms).toBeGreaterThan(0);
      expect(ms).toBeLessThanOrEqual(timing.ms);
    }
    expect(await readFile(at("timed.html"), "utf8")).toMatch(/<th[^>]*>time</);
  });
});
