import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeModel } from "../../src/graph/codec.js";
import { runCli } from "../cli/run-cli.js";
import { findChromium, noChromium } from "../web/find-chromium.js";
import { checkLook } from "./check-look.js";
import { labelledImages, shardOf, writeImages, writePlain } from "./images.js";
import { answerIn, answerOf, network, picture, sideOf } from "./models.js";
import { download, drop, eachLook, fileOf, openStudio, type Studio, type Watched } from "./open-studio.js";

const there = findChromium();
if (!there) console.log(`Training in the studio is not tested: ${noChromium}`);

/** What comes true in its time: this machine may have much else to do. */
const soon = <T>(what: () => T) => expect.poll(what, { timeout: 60_000 });

const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a, (x, i) => Math.abs(x - b[i]!)).reduce((most, d) => Math.max(most, d), 0);

/** A few steps; more of them where pictures are taken, which should show something. */
const size = process.env.STUDIO_PICTURES
  ? { training: 1024, heldOut: 256, epochs: 5, batch: 32, calibrate: 150 }
  : { training: 64, heldOut: 32, epochs: 3, batch: 16, calibrate: 12 };

const patience = process.env.STUDIO_PICTURES ? 3_000_000 : 900_000;

describe.skipIf(!there)("training in the studio", { timeout: patience }, () => {
  let studio: Studio;
  let watched: Watched;
  let page: Page;
  let folder: string;
  let images: Awaited<ReturnType<typeof labelledImages>>;
  let slimmed: Buffer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "scconv-studio-"));
    images = await labelledImages(size.training + size.heldOut);
    await writeImages(join(folder, "set"), images.slice(0, size.training), "train");
    await writeImages(join(folder, "set"), images.slice(size.training), "val");
    studio = await openStudio();
    watched = await studio.page();
    page = watched.page;
    await drop(page, await fileOf(network));
    await page.getByRole("table", { name: "Layers" }).waitFor();
    await page.getByRole("link", { name: "Fine-tune" }).click();
  }, 600_000);
  afterAll(async () => {
    await studio?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const chooseFolder = (name: string) =>
    page.locator("input[webkitdirectory]").setInputFiles(join(folder, name));
  const alert = () => page.getByRole("alert").textContent();
  const setting = (label: string, value: number) =>
    page
      .getByRole("form", { name: "Settings of the training" })
      .getByLabel(label, { exact: true })
      .fill(`${value}`);
  const part = (text: string | RegExp) =>
    page.getByRole("region", { name: "Progress" }).getByText(text).waitFor();

  it("waits for images, and says so", async () => {
    const button = page.getByRole("button", { name: "Swap and fine-tune" });
    expect(await button.isDisabled()).toBe(true);
    await page.getByText("Drop images above: training needs them.").waitFor();
  });

  it("refuses what are no images, and classes that the model has no outputs for, in one line", async () => {
    await writePlain(join(folder, "texts", "a", "notes.txt"), "no image");
    await chooseFolder("texts");
    await soon(alert).toMatch(/^texts: no data set found here, need one of: CLASS\/\*\.jpg/);
    await writePlain(join(folder, "broken", "a", "0.png"), "no image");
    await writePlain(join(folder, "broken", "a", "1.png"), "no image");
    await chooseFolder("broken");
    await soon(alert).toMatch(/^broken\/a\/\d\.png: not an image, need a JPEG, PNG or WebP file/);
    const eleven = Array.from({ length: 11 }, (_, label) => ({ label, png: images[label]!.png }));
    await writeImages(join(folder, "eleven"), [...eleven, ...eleven]);
    await chooseFolder("eleven");
    await soon(alert).toMatch(
      /^eleven: the data has more classes than the model has outputs, need at most 10, got 11 classes/,
    );
    expect(await page.getByRole("alert").count()).toBe(1);
    await checkLook(page, "refused images");
  });

  it("takes a folder with a split of its own", async () => {
    await chooseFolder("set");
    await page.getByText(`${size.training.toLocaleString("en")} images to train on`).waitFor();
    await page.getByText(`${size.heldOut} held out`).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    await setting("Batch", 4096);
    await page.getByText(`Batch is 4096, and there are ${size.training} training images`).waitFor();
    if ((await page.getByText("The model does not say how").count()) > 0) {
      await page.getByLabel("Normalised").selectOption("imagenet");
    }
  });

  it("swaps, calibrates and fine-tunes until the loss falls, and holds still while it is paused", async () => {
    for (const [label, value] of [
      ["Epochs", size.epochs],
      ["Batch", size.batch],
      ["Calibration", size.calibrate],
    ] as const) {
      await setting(label, value);
    }
    await page.getByText("More settings").click();
    await setting("Calibration batch", size.batch);
    await page.getByText("More settings").click();
    await eachLook(page, "train-settings", (as) => checkLook(page, as));
    await page.getByRole("button", { name: "Swap and fine-tune" }).click();
    await part(/^Calibration: every new unit/);
    await page.getByRole("row", { name: /^epoch 1 / }).waitFor({ timeout: patience });
    await page.getByRole("button", { name: "Pause" }).click();
    await part("Paused");
    const figures = () => page.getByRole("region", { name: "Progress" }).textContent();
    // The step that was under way comes to its end.
    await page.waitForTimeout(3000);
    const held = await figures();
    await page.waitForTimeout(3000);
    expect(await figures()).toBe(held);
    await eachLook(page, "train", (as) => checkLook(page, as));
    await drop(page, await fileOf(network));
    await soon(alert).toMatch(/^Training is under way/);
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("region", { name: "Outcome" }).waitFor({ timeout: patience });
    const said = await page.getByRole("img", { name: /^Loss from/ }).getAttribute("aria-label");
    const [, first, last, steps] = /from ([\d.]+) at the first step to ([\d.]+) at step (\d+)/.exec(said!)!;
    console.log(`loss ${first} at the first step, ${last} at step ${steps}`);
    expect(Number(steps)).toBe(size.epochs * Math.floor(size.training / size.batch));
    expect(Number(last)).toBeLessThan(Number(first));
    const cell = (epoch: number) =>
      page
        .getByRole("row", { name: `epoch ${epoch}` })
        .getByRole("cell")
        .nth(2)
        .textContent();
    expect(Number(await cell(size.epochs))).toBeLessThan(Number(await cell(1)));
    await eachLook(page, "trained", (as) => checkLook(page, as));
  });

  it("gives a model whose accuracy is the command line's, and a training form with the same answers", async () => {
    const deployed = await download(page, "Download the slimmed model");
    slimmed = deployed.bytes;
    const form = await download(page, "Download its training form");
    const units = (bytes: Buffer) =>
      [...decodeModel(bytes).graph.initializers.keys()].filter((n) => n.endsWith("cru.gwc.weight")).length;
    expect(units(form.bytes)).toBeGreaterThan(0);
    const image = await picture(await sideOf(network));
    const answers = await answerOf(deployed.bytes, image);
    const apart = distance(answers, await answerOf(form.bytes, image));
    console.log(
      `logits of the slimmed model and its training form, in Node: ${apart.toExponential(1)} apart`,
    );
    expect(apart).toBeLessThan(1e-4);
    expect(distance(answers, await answerOf(network, image))).toBeGreaterThan(1e-2);
    const path = join(folder, deployed.name);
    await writeFile(path, deployed.bytes);
    const { stdout } = await runCli(["eval", path, "--data", join(folder, "set"), "--json"]);
    const shown = await page
      .getByRole("region", { name: "Outcome" })
      .locator(".figure")
      .first()
      .textContent();
    expect(shown).toContain(`${JSON.parse(stdout).top1.toFixed(2)} %`);
    const report = (await download(page, "Download its report")).bytes.toString();
    expect(report).toContain(`${JSON.parse(stdout).top1.toFixed(2)} %`);
    expect(report).toContain("scconv slim ");
    expect(report).not.toMatch(/undefined|NaN|report\.json|https?:\/\//);
    const plan = await download(page, "Download the plan used");
    expect(JSON.parse(plan.bytes.toString()).layers).toHaveLength(units(form.bytes));
  });

  it("stops with what it has reached, from a shard of which a share is held out", async () => {
    await drop(page, { name: "mine.tar", bytes: await shardOf(images.slice(0, 80)) });
    await page.getByText("mine.tar").waitFor();
    await soon(() => page.getByText(/\d+ held out/).textContent()).toMatch(/^[12]\d held out/);
    await setting("Epochs", 500);
    await setting("Batch", 16);
    await setting("Calibration", 12);
    await page.getByRole("button", { name: "Swap and fine-tune" }).click();
    await page.getByRole("img", { name: /^Loss from/ }).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Ended early after").waitFor();
    const { bytes } = await download(page, "Download the slimmed model");
    const answers = await answerOf(bytes, await picture(await sideOf(network)));
    expect(Array.from(answers).every(Number.isFinite)).toBe(true);
    expect(bytes.equals(slimmed)).toBe(false);
  });

  it("stops while units are still being fitted, with what they are", async () => {
    await setting("Calibration", 100_000);
    await page.getByRole("button", { name: "Swap and fine-tune" }).click();
    await part(/\d of 100,000 .* images\/s/);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText(/^Ended early .*the weights are those of the calibration/).waitFor();
    const { bytes } = await download(page, "Download the slimmed model");
    const answers = await answerOf(bytes, await picture(await sideOf(network)));
    expect(Array.from(answers).every(Number.isFinite)).toBe(true);
  });

  it("the downloaded model answers in the page as in Node", async () => {
    await drop(page, { name: "slimmed.onnx", bytes: slimmed });
    await page.getByText("slimmed.onnx").first().waitFor();
    await page.getByRole("link", { name: "Feature maps" }).click();
    const image = await picture(await sideOf(network));
    await drop(page, { name: "picture.png", bytes: image });
    await page.getByRole("img", { name: /^Feature maps of / }).waitFor();
    await page.getByRole("combobox", { name: "Normalised" }).selectOption("none");
    const logits = await answerOf(slimmed, image);
    const apart = async () => {
      const shown = await page.getByText(/^class \d+: /).allTextContents();
      return Math.max(
        ...shown.map((line) => {
          const { index, score } = answerIn(line);
          return Math.abs(score - logits[index]!);
        }),
        shown.length === 5 ? 0 : 1,
      );
    };
    await soon(apart).toBeLessThan(1e-4);
    console.log(`scores in the page and in Node: ${(await apart()).toExponential(1)} apart at most`);
  });

  it("sends nothing anywhere, and nothing went wrong on the way", () => {
    const { requests, errors } = watched;
    const elsewhere = requests.filter(
      (url) => !url.startsWith(studio.served.url) && !/^(blob|data):/.test(url),
    );
    expect(elsewhere).toEqual([]);
    expect(errors).toEqual([]);
  });
});
