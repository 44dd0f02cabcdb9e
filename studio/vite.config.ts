import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const { version } = JSON.parse(readFileSync(here("../package.json"), "utf8")) as { version: string };

export default defineConfig({
  define: { SCCONV_VERSION: JSON.stringify(version) },
  root: here("."),
  // Relative, so that the files work from any folder of any static host.
  base: "./",
  resolve: {
    alias: [
      { find: /^scconv\/web$/, replacement: here("../src/web.ts") },
      { find: /^scconv$/, replacement: here("../src/index.ts") },
    ],
  },
  worker: { format: "es" },
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  build: {
    outDir: here("../dist/studio"),
    emptyOutDir: true,
    target: "es2022",
    // Fonts and pictures inside scripts or styles would need a weaker content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
    license: { fileName: "licenses.md" },
  },
});
