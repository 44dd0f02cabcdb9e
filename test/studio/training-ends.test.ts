import { readFile } from "node:fs/promises";
import type { Page } from "playwright";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { decodeModel } from "../../src/graph/codec.js";
import { scconvDefaults } from "../../src/nn/scconv.js";
import { currentGraph } from "../../src/ops/current-graph.js";
import { matchConvolutions } from "../../src/surgery/match.js";
import { prepare } from "../../src/surgery/prepare.js";
import { findChromium } from "../web/find-chromium.js";
import { checkLook } from "./check-look.js";
import { labelledImages, shardOf } from "./images.js";
import { answerOf, network, picture, sideOf } from "./models.js";
import { download, drop, fileOf, openedStudio } from "./open-studio.js";

const there = findChromium();

/** What comes true in its time: this machine may have much else to do. */
const soon = <T>(what: () => T) => expect.poll(what, { timeout: 120_000 });

/** The last that the unit fits: behind one unit there are layers without norms, which do diverge, and a step is short. */
async function lastConvolution(): Promise<string> {
  const graph = prepare(currentGraph(decodeModel(await readFile(network)).graph, network));
  return matchConvolutions(graph, scconvDefaults).findLast((c) => c.swappable)!.name;
}

describe.skipIf(!there)("a training that ends otherwise than it should", { timeout: 900_000 }, () => {
  const open = openedStudio();
  let page: Page;

  beforeAll(async () => {
    page = open.watched.page;
    await drop(page, await fileOf(network));
    await page.getByRole("table", { name: "Layers" }).waitFor();
    await page.getByRole("link", { name: "What if" }).click();
    await page.getByPlaceholder("Choose by name").fill(await lastConvolution());
    await page.getByRole("button", { name: "Choose 1" }).click();
    await page.getByText(/^1 of \d+ convolutions$/).waitFor();
    await page.getByRole("link", { name: "Fine-tune" }).click();
    await drop(page, { name: "mine.tar", bytes: await shardOf(await labelledImages(80)) });
    await ready();
  }, 600_000);

  beforeEach(async () => {
    await setting("Batch", 16);
    await setting("Calibration", 2);
    await page.getByText("More settings").click();
    await setting("Calibration batch", 16);
    await page.getByText("More settings").click();
  }, 120_000);

  const form = () => page.getByRole("form", { name: "Settings of the training" });
  const setting = (label: string, value: number) =>
    form().getByLabel(label, { exact: true }).fill(`${value}`);
  const begin = () => page.getByRole("button", { name: "Swap and fine-tune" }).click();
  const ready = () => page.getByText(/^[12]\d held out/).waitFor();
  const outcome = () => page.getByRole("region", { name: "Outcome" });
  const alert = () => page.getByRole("alert").textContent();

  /** A run of one step, as one would make it after the one that went wrong. */
  async function trainsAgain(): Promise<void> {
    await ready();
    await setting("Epochs", 1);
    await setting("Learning rate", 0.001);
    await begin();
    await outcome()
      .getByText(/^Done after .*of epoch 1, the best of 1/)
      .waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  }

  it("stops at once, keeps nothing, and trains again", async () => {
    await setting("Epochs", 500);
    // A step that takes a while: who stops it need not wait for its end.
    await setting("Batch", 48);
    const workers = page.workers().length;
    await begin();
    await page.getByRole("img", { name: /^Loss from/ }).waitFor();
    // In the page itself: who waits outside until a button stands still may come after the end of the step.
    await page.evaluate(async () => {
      const button = (text: string) =>
        [...document.querySelectorAll("button")].find((b) => b.textContent === text);
      button("Stop")!.click();
      await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
      button("Stop at once")!.click();
    });
    await soon(alert).toBe("Stopped at once: nothing is kept.");
    expect(await outcome().count()).toBe(0);
    expect(await page.getByRole("button", { name: "Download the slimmed model" }).count()).toBe(0);
    await checkLook(page, "stopped at once");
    // The images were read by another worker: the one that computed is gone, and does not come back with its result.
    await ready();
    await soon(() => page.workers().length).toBeLessThanOrEqual(workers);
    await setting("Batch", 16);
    await trainsAgain();
  });

  it("says at which step a training diverged, keeps what was good, and trains again", async () => {
    await setting("Epochs", 500);
    await setting("Learning rate", 10);
    await begin();
    await outcome().waitFor();
    expect(await alert()).toMatch(
      /^training diverged at step \d+: the (loss|gradient norm) is (NaN|Infinity)/,
    );
    expect(await outcome().textContent()).toMatch(
      /Ended early after .*the weights are those of the calibration\./,
    );
    expect(await outcome().textContent()).not.toMatch(/NaN|undefined/);
    await checkLook(page, "diverged");
    const { bytes } = await download(page, "Download the slimmed model");
    const answers = await answerOf(bytes, await picture(await sideOf(network)));
    expect(Array.from(answers).every(Number.isFinite)).toBe(true);
    const report = (await download(page, "Download its report")).bytes.toString();
    expect(report).not.toMatch(/undefined|NaN/);
    await trainsAgain();
    expect(open.watched.errors).toEqual([]);
  });
});
