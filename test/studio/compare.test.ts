import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import { findChromium } from "../web/find-chromium.js";
import { checkLook } from "./check-look.js";
import { answerOf, network, picture, sideOf } from "./models.js";
import { download, drop, eachLook, fileOf, openedStudio } from "./open-studio.js";

const there = findChromium();

/** The network with the weights of its last layer doubled. */
async function otherNetwork(): Promise<Uint8Array> {
  const model = decodeModel(await readFile(network));
  const gemm = model.graph.nodes.findLast((n) => n.op === "Gemm" || n.op === "MatMul")!;
  const name = gemm.inputs.find((i) => model.graph.initializers.has(i))!;
  const weight = model.graph.initializers.get(name)!;
  const doubled = Tensor.from(
    weight.dtype,
    weight.dims,
    Array.from(weight.numbers(), (w) => 2 * w),
  );
  const initializers = new Map(model.graph.initializers).set(name, doubled);
  return encodeModel({ ...model, graph: { ...model.graph, initializers } });
}

describe.skipIf(!there)("two models in the studio", { timeout: 600_000 }, () => {
  const open = openedStudio();

  it("finds the layer whose weights are others, and both answers", async () => {
    const { page } = open.watched;
    await drop(page, await fileOf(network));
    await page.getByRole("table", { name: "Layers" }).waitFor();
    await page.getByRole("link", { name: "Compare" }).click();
    await checkLook(page, "nothing to compare with yet");
    const other = await otherNetwork();
    await drop(page, { name: "other.onnx", bytes: other });
    const table = page.getByRole("table", { name: "Layers of both" });
    await table.waitFor();
    expect(await table.getByRole("row").count()).toBe(2);
    expect(await table.getByRole("row").nth(1).textContent()).toMatch(/other weights.*(99\.9|100\.0) %/);
    // An image that is dropped here is looked at here.
    const image = await picture(await sideOf(network));
    await drop(page, { name: "picture.png", bytes: image });
    await page.getByRole("combobox", { name: "Normalised" }).selectOption("none");
    const said = page.getByRole("status").filter({ hasText: "scores apart" });
    await said.waitFor();
    const [one, two] = [await answerOf(network, image), await answerOf(other, image)];
    const apart = Math.max(...Array.from(one, (v, i) => Math.abs(v - two[i]!)));
    await expect
      .poll(async () => Number(/apart by at most ([\d.e+]+)/.exec((await said.textContent())!)![1]))
      .toSatisfy((shown: number) => Math.abs(shown / apart - 1) < 0.01);
    expect(await page.getByRole("img", { name: /^Feature maps of / }).count()).toBe(2);
    await page.getByRole("button", { name: "Close the second" }).click();
    await page.getByRole("button", { name: "Choose a second model" }).waitFor();
  });

  it("lays the swap beside the model", async () => {
    const { page, errors } = open.watched;
    await page.getByRole("button", { name: "Compare with the swap" }).click();
    const table = page.getByRole("table", { name: "Layers of both" });
    await table.waitFor();
    await expect.poll(() => table.textContent()).toMatch(/replaced.*Conv → SCConv/);
    // What is not replaced is as it was.
    expect(await table.getByRole("columnheader", { name: "Weights moved" }).count()).toBe(0);
    await page
      .getByRole("img", { name: /^Feature maps of / })
      .nth(1)
      .waitFor();
    await page.getByRole("combobox", { name: "Layer" }).selectOption({ index: 2 });
    await page.getByRole("status").filter({ hasText: "scores apart" }).waitFor();
    await eachLook(page, "compare", (as) => checkLook(page, as));
    await eachLook(page, "compare-maps", async (as) => {
      await page.getByRole("heading", { name: "On an image" }).evaluate((e) => e.scrollIntoView());
      await checkLook(page, as);
    });
    await page.getByLabel("Rounds").fill("2");
    await page.getByLabel("WebGPU").uncheck();
    await page.getByLabel(/^wasm, \d+ threads$/).uncheck();
    await page.getByRole("button", { name: "Measure" }).click();
    const card = page.getByRole("region", { name: "wasm, 1 thread" });
    await card.getByRole("table").waitFor({ timeout: 400_000 });
    expect(await card.getByRole("row").count()).toBe(4);
    expect(errors).toEqual([]);
  });

  it("gives the comparison as a page to keep, with nothing in it that runs", async () => {
    const { page, context, errors } = open.watched;
    const { name, bytes } = await download(page, "Download the comparison");
    const stem = basename(network, ".onnx");
    expect(name).toBe(`${stem}-and-${stem}-swapped.html`);
    const text = bytes.toString();
    expect(text).not.toMatch(/https?:|<script|@import|url\(|undefined|NaN/);
    expect([...text.matchAll(/<h2>(.*?)<\/h2>/g)].map((m) => m[1])).toEqual([
      "Layers that differ",
      "On an image",
      "Latency",
    ]);
    expect(text).toMatch(/Conv → SCConv/);
    expect(text).toContain("wasm, 1 thread");
    const kept = await context.newPage();
    await kept.setContent(text);
    const widths = await kept
      .locator("img")
      .evaluateAll((all) => all.map((i) => (i as HTMLImageElement).naturalWidth));
    expect(widths).toHaveLength(2);
    for (const width of widths) expect(width).toBeGreaterThan(100);
    for (const width of [1280, 390]) {
      await kept.setViewportSize({ width, height: 844 });
      await checkLook(kept, `the comparison as a page, ${width}`);
    }
    await kept.close();
    expect(errors).toEqual([]);
  });

  it("says why a second model cannot be read, and goes on", async () => {
    const { page } = open.watched;
    await page.getByRole("button", { name: "Close the second" }).click();
    await drop(page, { name: "<b>bad</b>.onnx", bytes: new Uint8Array(64) });
    await expect.poll(() => page.getByRole("alert").textContent()).toMatch(/<b>bad<\/b>\.onnx/);
    expect(await page.getByRole("alert").locator("*").count()).toBe(0);
    await drop(page, await fileOf(network));
    await page.getByText("Both have the same layers, with the same weights.").waitFor();
    await checkLook(page, "nothing differs");
  });
});
