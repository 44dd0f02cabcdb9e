import { defineConfig } from "vite";

/** What makes a page isolated, and so gives the engine threads. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  server: { headers },
  preview: { headers },
  // A worker that loads parts of itself when they are asked for.
  worker: { format: "es" },
  // The engine looks for its .wasm file beside its script.
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  build: { target: "es2022" },
});
