import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromiumArgs, findChromium, noChromium } from "./test/web/find-chromium.js";
import { goldens, runOnNode } from "./test/web/node-side.js";

const chromium = findChromium();
if (!chromium) console.log(`Tests in the browser are skipped: ${noChromium}`);

const inBrowser = "test/**/*.browser.test.ts";

export default defineConfig({
  test: {
    // Two cores, and ONNX Runtime brings its own threads: one file at a time keeps figures and memory sane.
    maxWorkers: 2,
    browser: { connectTimeout: 600_000 },
    projects: [
      { test: { name: "node", include: ["test/**/*.test.ts"], exclude: [inBrowser], testTimeout: 60_000 } },
      ...(chromium ? [browserProject(chromium)] : []),
    ],
  },
});

/** Each file is a page of its own, and so has an engine of its own. */
function browserProject(executablePath: string) {
  return {
    // What it finds by looking at imports on the way would reload the page in the middle of a test; the engine looks for its
    // WebAssembly beside its script.
    optimizeDeps: { include: ["@bufbuild/protobuf"], exclude: ["onnxruntime-web"] },
    server: {
      headers: {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      },
    },
    test: {
      name: "browser",
      include: [inBrowser],
      testTimeout: 300_000,
      hookTimeout: 300_000,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        commands: { goldens, runOnNode },
        provider: playwright({ launchOptions: { executablePath, args: chromiumArgs } }),
        instances: [{ browser: "chromium" as const }],
      },
    },
  };
}
