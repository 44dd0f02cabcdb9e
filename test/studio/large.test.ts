import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeModel, encodeModel, encodePieces } from "../../src/graph/codec.js";
import { bytesOfPieces, layOut } from "../../src/graph/data-file.js";
import { modelOf } from "../../src/graph/model.js";
import { lower } from "../../src/ops/lower.js";
import { architecture } from "../../src/zoo/index.js";
import { temporaryFolder, tinyClassifier } from "../cli/models.js";
import { findChromium } from "../web/find-chromium.js";
import { network } from "./models.js";
import { openedStudio, watchTasks } from "./open-studio.js";

const there = findChromium();

/** Opens files as a person chooses them, and measures: seconds until the table is there, and the page's longest task in ms. */
async function openAndWatch(page: Page, files: string[]) {
  const longest = await watchTasks(page);
  const started = performance.now();
  await page.locator("input[type=file]").first().setInputFiles(files);
  await page.getByRole("table", { name: "Layers" }).waitFor();
  const seconds = (performance.now() - started) / 1000;
  return { seconds, longest: await longest() };
}

describe.skipIf(!there)("large models in the studio", { timeout: 600_000 }, () => {
  const open = openedStudio();
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder?.remove());

  it("opens ResNet-50 without a pause of the page", async () => {
    const file = join(folder.path, "resnet50.onnx");
    await writeFile(file, encodeModel(modelOf(lower(architecture("resnet50")({ init: "zeros" })))));
    const { page, errors } = open.watched;
    const { seconds, longest } = await openAndWatch(page, [file]);
    await page.getByText("53 convolutions").waitFor();
    console.log(
      `ResNet-50: the table is there after ${seconds.toFixed(2)} s; the page's longest task took ${longest.toFixed(0)} ms`,
    );
    expect(longest).toBeLessThan(1000);
    expect(errors).toEqual([]);
    await page.getByRole("button", { name: "Close the model" }).click();
  });

  it("takes weights in a file of their own, together with the model or after it", async () => {
    const file = join(folder.path, "outside.onnx");
    const weights = join(folder.path, "outside.onnx.data");
    const tiny = decodeModel(tinyClassifier());
    const data = layOut(tiny.graph, "outside.onnx.data");
    const { pieces } = encodePieces(tiny, { external: (name) => data.places.get(name) });
    await writeFile(file, [...bytesOfPieces(pieces)]);
    await writeFile(weights, [...bytesOfPieces(data.pieces)]);
    const { page } = open.watched;
    await openAndWatch(page, [file, weights]);
    await page.getByRole("button", { name: "Close the model" }).click();
    await page.locator("input[type=file]").first().setInputFiles([file]);
    await expect
      .poll(() => page.getByRole("alert").textContent())
      .toMatch(/external data|outside\.onnx\.data/);
    await openAndWatch(page, [weights]);
  });
});

describe.skipIf(!there)("the studio without isolation", { timeout: 600_000 }, () => {
  const open = openedStudio();

  it("says so, and works with one thread", async () => {
    const { context, page } = open.watched;
    await context.route("**/*", async (route) => {
      const response = await route.fetch();
      const headers = response.headers();
      delete headers["cross-origin-opener-policy"];
      delete headers["cross-origin-embedder-policy"];
      await route.fulfill({ response, headers });
    });
    await page.reload();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.getByText("no threads: the page is not cross-origin isolated").waitFor();
    await openAndWatch(page, [network]);
    await page.getByRole("link", { name: "Latency" }).click();
    expect(await page.getByLabel(/^wasm, \d+ threads$/).isDisabled()).toBe(true);
    await page.getByText(/^Without wasm, .* threads: the page is not cross-origin isolated/).waitFor();
    await page.getByLabel("Rounds").fill("2");
    await page.getByLabel("WebGPU").uncheck();
    await page.getByRole("button", { name: "Measure" }).click();
    await page
      .getByRole("region", { name: "wasm, 1 thread" })
      .getByRole("table")
      .waitFor({ timeout: 400_000 });
  });
});
