import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { encodeModel } from "../../src/graph/codec.js";
import { modelOf } from "../../src/graph/model.js";
import { graphBuilder } from "../../src/ops/index.js";
import { findChromium } from "../web/find-chromium.js";
import { checkLook } from "./check-look.js";
import { network } from "./models.js";
import { download, drop, fileOf, openedStudio } from "./open-studio.js";

const there = findChromium();
const markup = "<img src=x onerror=alert(1)>";

/** A convolution, one whose groups make six channels, which WebGPU computes wrongly, and a Celu, which it does not have. */
function grouped(): Uint8Array {
  const b = graphBuilder({ name: "grouped" });
  const weights = (dims: readonly number[]) =>
    b.constant(Tensor.from("float32", dims, new Float32Array(dims.reduce((x, y) => x * y, 1)).fill(0.1)));
  const x = b.input("x", "float32", [1, 16, 8, 8]);
  const pads = [1, 1, 1, 1];
  const plain = b.add("Conv", [x, weights([16, 16, 3, 3])], { pads }, { name: "plain" });
  const relu = b.add("Relu", [plain]);
  const two = b.add("Conv", [relu, weights([96, 1, 3, 3])], { pads, group: 16 }, { name: markup });
  b.output(b.add("Celu", [two], {}, { name: `${markup} (2)` }), "y");
  return encodeModel(modelOf(b.build()));
}

describe.skipIf(!there)("what the studio says of a model", { timeout: 600_000 }, () => {
  const open = openedStudio();

  it("names nodes that WebGPU does not compute", async () => {
    const { page } = open.watched;
    await drop(page, { name: "grouped.onnx", bytes: grouped() });
    await page.getByRole("table", { name: "Layers" }).waitFor();
    await page.getByRole("link", { name: "Latency" }).click();
    await page.getByLabel("Rounds").fill("2");
    for (const wasm of await page.getByLabel(/^wasm/).all()) await wasm.uncheck();
    await page.getByRole("button", { name: "Measure" }).click();
    const card = page.getByRole("region", { name: "WebGPU" });
    const summary = card.getByText("2 nodes of grouped.onnx on the CPU: Conv ×1, Celu ×1");
    await summary.waitFor({ timeout: 400_000 });
    await summary.click();
    expect(await card.getByRole("listitem").allTextContents()).toEqual([
      `Conv ${markup}`,
      `Celu ${markup} (2)`,
    ]);
    await card.getByText(/^Given to the CPU by the engine itself/).waitFor();
    expect(await card.locator("img").count()).toBe(0);
    await checkLook(page, "nodes on the CPU");
  });

  it("writes a page of layers, swap and times, with nothing in it that runs", async () => {
    const { page, errors } = open.watched;
    await page.getByRole("button", { name: "Close the model" }).click();
    await drop(page, await fileOf(network));
    await page.getByRole("link", { name: "What if" }).click();
    await page.getByText(/^[1-9]\d* of \d+ convolutions$/).waitFor();
    await page.getByRole("link", { name: "Latency" }).click();
    await page.getByLabel("Rounds").fill("2");
    await page.getByLabel("WebGPU").uncheck();
    await page.getByLabel(/^wasm, \d+ threads$/).uncheck();
    await page.getByRole("button", { name: "Measure" }).click();
    await page.getByRole("region", { name: "wasm, 1 thread" }).getByRole("table").waitFor();
    const report = await download(page, "Report of the model, as a page to keep");
    expect(report.name).toBe(basename(network).replace(".onnx", "-report.html"));
    const text = report.bytes.toString();
    expect(text).not.toMatch(/https?:|<script|<img|@import|url\(/);
    expect([...text.matchAll(/<h2>(.*?)<\/h2>/g)].map((m) => m[1])).toEqual([
      "Layers",
      "What if",
      "Latency",
      "The same by the command line, trained",
    ]);
    expect(text).toContain("wasm, 1 thread");
    expect(text).toContain("onnxruntime-web");
    const kept = await open.watched.context.newPage();
    await kept.setContent(text);
    await checkLook(kept, "the report");
    await kept.close();
    expect(errors).toEqual([]);
  });
});
