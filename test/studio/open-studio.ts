import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright";
import { afterAll, beforeAll } from "vitest";
import { cliPath } from "../cli/run-cli.js";
import { chromiumArgs, findChromium } from "../web/find-chromium.js";

export interface Served {
  readonly url: string;
  readonly child: ChildProcess;
  /** By Ctrl-C; gives the exit status. */
  stop(): Promise<number | null>;
}

/** `scconv studio` as a user starts it. */
export function serve(...flags: string[]): Promise<Served> {
  const child = spawn(process.execPath, [cliPath, "studio", "--port", "0", ...flags], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
      const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(said)?.[0];
      if (!url) return;
      resolve({
        ...{ url, child },
        stop: () => {
          child.kill("SIGINT");
          return ended;
        },
      });
    });
    void ended.then(() => reject(new Error(`the studio did not start: ${said}`)));
  });
}

export interface Studio {
  readonly served: Served;
  readonly browser: Browser;
  /** A fresh page; what goes wrong in it, and where it sends requests, is noted. */
  page(options?: BrowserContextOptions): Promise<Watched>;
  close(): Promise<void>;
}

export interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly errors: readonly string[];
  readonly requests: readonly string[];
}

export async function openStudio(): Promise<Studio> {
  const served = await serve();
  const executablePath = findChromium()!;
  const browser = await chromium.launch({ executablePath, args: chromiumArgs, timeout: 120_000 });
  return {
    ...{ served, browser },
    async page(options = {}) {
      const context = await browser.newContext({
        ...{ viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...options },
      });
      const page = await context.newPage();
      page.setDefaultTimeout(120_000);
      const errors: string[] = [];
      const requests: string[] = [];
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      context.on("request", (request) => requests.push(request.url()));
      await page.goto(served.url);
      return { page, context, errors, requests };
    },
    async close() {
      await browser.close();
      await served.stop();
    },
  };
}

/** A studio with a page for all tests of a block. */
export function openedStudio(): { studio: Studio; watched: Watched } {
  const open = {} as { studio: Studio; watched: Watched };
  beforeAll(async () => {
    open.studio = await openStudio();
    open.watched = await open.studio.page();
  }, 300_000);
  afterAll(() => open.studio?.close());
  return open;
}

/** Drops files as a mouse would. */
export async function drop(
  page: Page,
  ...files: readonly { name: string; bytes: Uint8Array }[]
): Promise<void> {
  const data = files.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString("base64") }));
  const transfer = await page.evaluateHandle((all) => {
    const made = new DataTransfer();
    for (const { name, base64 } of all) {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      made.items.add(new File([bytes], name));
    }
    return made;
  }, data);
  await page.locator("main").dispatchEvent("drop", { dataTransfer: transfer });
}

export const fileOf = async (path: string) => ({ name: basename(path), bytes: await readFile(path) });

/** What a button downloads. */
export async function download(page: Page, button: string): Promise<{ name: string; bytes: Buffer }> {
  const [got] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button }).click(),
  ]);
  return { name: got.suggestedFilename(), bytes: await readFile(await got.path()) };
}

/** Of the page's own thread, from now on; gives the longest task so far, in milliseconds. Those below 50 ms are none. */
export async function watchTasks(page: Page): Promise<() => Promise<number>> {
  const watch = await page.evaluateHandle(() => {
    const tasks = { longest: 0 };
    const note = (entries: readonly PerformanceEntry[]) => {
      for (const { duration } of entries) tasks.longest = Math.max(tasks.longest, duration);
    };
    const observer = new PerformanceObserver((list) => note(list.getEntries()));
    observer.observe({ type: "longtask" });
    return { tasks, note, observer };
  });
  return () =>
    watch.evaluate(async ({ tasks, note, observer }) => {
      // A task is noted when it is over.
      await new Promise((resolve) => setTimeout(resolve, 100));
      note(observer.takeRecords());
      return tasks.longest;
    });
}

const pictures = process.env.STUDIO_PICTURES
  ? fileURLToPath(new URL("../../docs/studio/", import.meta.url))
  : undefined;

/** Of the view as it is now: wide and narrow, light and dark. Kept for the docs by `npm run studio-pictures`. */
export async function eachLook(page: Page, name: string, look: (as: string) => Promise<void>): Promise<void> {
  for (const [size, width, height] of [
    ["wide", 1280, 800],
    ["phone", 390, 844],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const theme of ["light", "dark"] as const) {
      await page.getByLabel("Theme").selectOption(theme);
      await page.evaluate(() => new Promise(requestAnimationFrame));
      await look(`${size}, ${theme}`);
      if (!pictures) continue;
      await mkdir(pictures, { recursive: true });
      await page.screenshot({ path: join(pictures, `${name}-${size}-${theme}.png`), animations: "disabled" });
    }
  }
  await page.getByLabel("Theme").selectOption("auto");
  await page.setViewportSize({ width: 1280, height: 800 });
}
