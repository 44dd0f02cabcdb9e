import { describe, expect, it } from "vitest";
import { decodeModel } from "../../src/graph/codec.js";
import { runCli } from "../cli/run-cli.js";
import { input, node, output, modelOf as wire } from "../hostile/wire.js";
import { findChromium, noChromium } from "../web/find-chromium.js";
import { checkLook } from "./check-look.js";
import { answerIn, answerOf, chain, network, picture, sideOf } from "./models.js";
import { download, drop, eachLook, fileOf, openedStudio, watchTasks } from "./open-studio.js";

const there = findChromium();
if (!there) console.log(`Tests of the studio are skipped: ${noChromium}`);

describe.skipIf(!there)("the studio, from a file to a smaller one", { timeout: 600_000 }, () => {
  const open = openedStudio();

  it("starts with what it needs, and says what the browser has", async () => {
    const { page } = open.watched;
    await page.getByText("WebAssembly, one thread").waitFor();
    await expect.poll(() => page.evaluate(() => crossOriginIsolated)).toBe(true);
    await eachLook(page, "start", (as) => checkLook(page, as));
  });

  it("lists the layers that `inspect` lists", async () => {
    const { page } = open.watched;
    await drop(page, await fileOf(network));
    const table = page.getByRole("table", { name: "Layers" });
    await table.waitFor();
    const inspected = JSON.parse((await runCli(["inspect", network, "--json"])).stdout);
    const counted = inspected.layers.filter(
      (l: { parameters: number; macs: number }) => l.parameters || l.macs,
    );
    await page.getByText(`${counted.length} of ${inspected.layers.length} nodes`).waitFor();
    await expect.poll(() => table.getByRole("row").nth(1).textContent()).toContain(counted[0].name);
    await eachLook(page, "layers", (as) => checkLook(page, as));
  });

  it("keeps the model when files come that it does not need", async () => {
    const { page } = open.watched;
    await page.getByRole("searchbox", { name: "Search layers" }).fill("conv");
    await drop(page, { name: "notes.txt", bytes: new Uint8Array(3) });
    await page.getByText("Neither a model nor images among what was dropped: notes.txt").waitFor();
    expect(await page.getByRole("searchbox", { name: "Search layers" }).inputValue()).toBe("conv");
    await page.getByRole("searchbox", { name: "Search layers" }).fill("");
    const two = { bytes: (await fileOf(network)).bytes };
    await drop(page, { name: "one.onnx", ...two }, { name: "two.onnx", ...two });
    await page.getByText("One model at a time is opened: not two.onnx.").waitFor();
    await page.getByText("one.onnx").first().waitFor();
    await drop(page, await fileOf(network));
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.getByRole("table", { name: "Layers" }).waitFor();
  });

  it("sorts and searches, by keyboard as well", async () => {
    const { page } = open.watched;
    const table = page.getByRole("table", { name: "Layers" });
    // What was focused went when the model came.
    expect(await page.locator("main").evaluate((e) => e === document.activeElement)).toBe(true);
    await page.keyboard.press("Tab");
    expect(await page.getByRole("searchbox").evaluate((e) => e === document.activeElement)).toBe(true);
    const header = table.getByRole("columnheader", { name: "Parameters" });
    await header.getByRole("button").focus();
    await page.keyboard.press("Enter");
    expect(await header.getAttribute("aria-sort")).toBe("descending");
    const largest = await table.getByRole("row").nth(1).textContent();
    await page.keyboard.press("Enter");
    expect(await header.getAttribute("aria-sort")).toBe("ascending");
    expect(await table.getByRole("row").nth(1).textContent()).not.toBe(largest);
    await page.keyboard.press("Enter");
    await page.getByRole("searchbox", { name: "Search layers" }).fill("no such layer");
    await page.getByText("No layer has such a name.").waitFor();
    await page.getByRole("searchbox", { name: "Search layers" }).fill("");
  });

  it("says what a swap would change, as `swap --dry-run` says it", async () => {
    const { page } = open.watched;
    await page.getByRole("link", { name: "What if" }).click();
    await page.getByRole("table", { name: "Convolutions" }).waitFor();
    await page.getByRole("button", { name: "All that fit" }).click();
    await page.getByLabel("α").fill("0.25");
    const flags = ["--layers", "all", "--alpha", "0.25", "--gate-bias", "2"];
    const dry = JSON.parse((await runCli(["swap", network, ...flags, "--dry-run", "--json"])).stdout);
    await page
      .getByText(`${dry.swapped.length} of ${dry.swapped.length + dry.kept.length} convolutions`)
      .waitFor();
    for (const { reason } of dry.kept.slice(0, 1)) await page.getByText(reason).first().waitFor();
    await eachLook(page, "what-if", (as) => checkLook(page, as));
    const plan = await download(page, "Download the plan");
    expect(plan.name).toMatch(/-plan\.json$/);
    const { layers } = JSON.parse(plan.bytes.toString());
    expect(layers.map((l: { name: string }) => l.name)).toEqual(
      dry.swapped.map((s: { name: string }) => s.name),
    );
    const swapped = await download(page, "Download the swapped model");
    expect(
      [...decodeModel(swapped.bytes).graph.initializers.keys()].some((n) => n.endsWith("cru.gwc.weight")),
    ).toBe(true);
  });

  it("keeps its place in the table while convolutions are ticked", async () => {
    const { page } = open.watched;
    await page.setViewportSize({ width: 1280, height: 480 });
    const table = page.getByRole("table", { name: "Convolutions" });
    const placeOf = () => table.evaluate((e) => e.scrollTop);
    await table.evaluate((e) => {
      e.scrollTop = e.scrollHeight;
    });
    const last = table.getByRole("checkbox").last();
    for (const checked of [false, true]) {
      const place = await placeOf();
      expect(place).toBeGreaterThan(0);
      const before = await page.getByText(/^\d+ of \d+ convolutions$/).textContent();
      await last.evaluate((e: HTMLInputElement) => e.click());
      await expect.poll(() => page.getByText(/^\d+ of \d+ convolutions$/).textContent()).not.toBe(before);
      expect(await last.isChecked()).toBe(checked);
      expect(await placeOf()).toBe(place);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it("times both where this browser can", async () => {
    const { page } = open.watched;
    await page.getByRole("link", { name: "Latency" }).click();
    // Of three rounds a picture for the docs would show noise.
    await page.getByLabel("Rounds").fill(process.env.STUDIO_PICTURES ? "30" : "3");
    await page.getByLabel("WebGPU").uncheck();
    await page.getByRole("button", { name: "Measure" }).click();
    for (const engine of ["wasm, 1 thread", /^wasm, \d+ threads$/]) {
      const card = page.getByRole("region", { name: engine });
      await card
        .getByRole("cell", { name: /^\d[\d.]* m?s$/ })
        .first()
        .waitFor({ timeout: 400_000 });
      // With the heading: the model, as rewriting alone makes it, and with the swap.
      expect(await card.getByRole("row").count()).toBe(4);
      expect(await card.getByRole("row").nth(2).textContent()).toContain("rewritten, nothing swapped");
    }
    await eachLook(page, "latency", (as) => checkLook(page, as));
  });

  it("shows what a layer makes of an image, and answers as Node does", async () => {
    const { page } = open.watched;
    await page.getByRole("link", { name: "Feature maps" }).click();
    const image = await picture(await sideOf(network));
    await drop(page, { name: "picture.png", bytes: image });
    const maps = page.getByRole("img", { name: /^Feature maps of / });
    await maps.waitFor();
    await page.getByRole("combobox", { name: "Layer" }).selectOption({ index: 2 });
    await page.getByRole("combobox", { name: "Normalised" }).selectOption("none");
    await eachLook(page, "features", (as) => checkLook(page, as));
    const shown = await page.getByText(/^class \d+: /).allTextContents();
    expect(shown).toHaveLength(5);
    const logits = await answerOf(network, image);
    for (const line of shown) {
      const { index, score } = answerIn(line);
      expect(Math.abs(score - logits[index]!)).toBeLessThan(1e-4);
    }
  });

  it("refuses a picture by the size that it claims, before it is decoded", async () => {
    const { page } = open.watched;
    const vast = await picture(8);
    vast.writeUInt32BE(65_535, 16);
    vast.writeUInt32BE(65_535, 20);
    await drop(page, { name: "vast.png", bytes: vast });
    await expect.poll(() => page.getByRole("alert").textContent()).toMatch(/vast\.png.*too large/);
    await drop(page, { name: "picture.png", bytes: await picture(await sideOf(network)) });
    await page.getByRole("alert").waitFor({ state: "detached" });
  });

  it("sends nothing anywhere, and could not", async () => {
    const { page, requests, errors } = open.watched;
    const elsewhere = requests.filter(
      (url) => !url.startsWith(open.studio.served.url) && !/^(blob|data):/.test(url),
    );
    expect(elsewhere).toEqual([]);
    expect(errors).toEqual([]);
    const refused = await page.evaluate(() =>
      fetch("https://example.org/").then(
        () => "sent",
        (error) => `${error}`,
      ),
    );
    expect(refused).toContain("TypeError");
    expect(errors.join()).toContain("Content Security Policy");
  });
});

describe.skipIf(!there)("what strangers send", { timeout: 600_000 }, () => {
  const open = openedStudio();

  const markup = "<img src=x onerror=alert(1)>";
  it.each<[string, Uint8Array, RegExp]>([
    ["text", new TextEncoder().encode("this is no model"), /not .*ONNX model/],
    ["nothing", new Uint8Array(), /empty/],
    [
      "a cycle, in names that are markup",
      wire(input("x"), output("b"), node("Add", ["x", "b"], [markup]), node("Relu", [markup], ["b"])),
      /the graph has a cycle/,
    ],
    ["sizes of terabytes", wire(input("x", [2 ** 40]), output("y"), node("Relu", ["x"], ["y"])), /GB|TB/],
  ])("%s is an error, and nothing else", async (_, bytes, says) => {
    const { page } = open.watched;
    await drop(page, { name: "hostile.onnx", bytes });
    const alert = page.getByRole("alert");
    await expect.poll(() => alert.textContent()).toMatch(says);
    expect(await alert.locator("*").count()).toBe(0);
    expect(await page.getByRole("table").count()).toBe(0);
    expect(await page.getByRole("navigation").count()).toBe(0);
    await checkLook(page, "refused");
  });

  it("what is no model is said", async () => {
    const { page } = open.watched;
    await drop(page, { name: "photo.txt", bytes: new Uint8Array(3) });
    await page.getByText("No .onnx file among what was dropped: photo.txt").waitFor();
    expect(await page.getByRole("alert").count()).toBe(1);
  });

  it("ten thousand nodes, named in markup, do not stop the page", async () => {
    const { page, errors } = open.watched;
    // Of the page's own thread, in processor time: the clock says more about what else the machine does.
    const devtools = await open.watched.context.newCDPSession(page);
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
    const busy = async () => {
      const { metrics } = await devtools.send("Performance.getMetrics");
      return metrics.find((m) => m.name === "TaskDuration")!.value;
    };
    const before = await busy();
    const longest = await watchTasks(page);
    await drop(page, { name: "chain.onnx", bytes: chain(10_000) });
    await page.getByRole("table", { name: "Layers" }).waitFor();
    await page.getByLabel("every node").check();
    await page.getByText("10001 of 10001 nodes").waitFor();
    const scroller = page.getByRole("table", { name: "Layers" });
    await scroller.evaluate((e) => {
      e.scrollTop = e.scrollHeight;
    });
    await page.getByText("<img src=x onerror=alert(9999)>").waitFor();
    expect(await page.locator("main img").count()).toBe(0);
    expect(await page.getByRole("row").count()).toBeLessThan(120);
    await page.getByRole("button", { name: "Operator" }).click();
    await page.getByRole("searchbox", { name: "Search layers" }).fill("alert(77");
    await page.getByText("111 of 10001 nodes").waitFor();
    await page.getByText("<img src=x onerror=alert(77)>").waitFor();
    const seconds = (await busy()) - before;
    const ms = await longest();
    console.log(
      `10,000 nodes: the page's thread was busy for ${seconds.toFixed(2)} s, its longest task took ${ms.toFixed(0)} ms`,
    );
    expect(seconds).toBeLessThan(2);
    // Nobody sees a page stand still for so long; a table that has all rows takes seconds, on any machine.
    expect(ms).toBeLessThan(1000);
    expect(errors).toEqual([]);
  });
});
