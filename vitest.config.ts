import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Two cores, and ONNX Runtime brings its own threads: one file at a time keeps figures and memory sane.
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
