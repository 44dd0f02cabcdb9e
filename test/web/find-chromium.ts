import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The browser of the tests: `CHROMIUM_PATH`, else the first on the search path. */
export function findChromium(): string | undefined {
  const own = process.env.CHROMIUM_PATH;
  if (own) return own;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}

export const noChromium = `there is no Chromium here (CHROMIUM_PATH, or on the search path: ${names.join(", ")})`;

/**
 * WebGPU by Chromium's software adapter, so that it is the same on machines with and without a GPU. Root has no sandbox to be
 * had.
 */
export const chromiumArgs = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];
