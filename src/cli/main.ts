#!/usr/bin/env node
import { failureOf } from "./failure.js";
import { run } from "./run.js";

// Errors of the streams themselves arrive as events; the write that met them has reported them already.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});
process.on("uncaughtException", (error) => {
  process.stderr.write(`scconv: ${failureOf(error).line}\n`);
  if (process.argv.includes("--debug")) process.stderr.write(`${error.stack}\n`);
  process.exit(failureOf(error).status);
});

// Threads of the engine and of the data must not keep a finished program alive.
process.exit(await run(process.argv.slice(2)));
