#!/usr/bin/env node
import { failureOf } from "./failure.js";
import { shown } from "./paint.js";
import { run } from "./run.js";

// Errors of the streams themselves arrive as events; the write that met them has reported them already.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});
process.on("uncaughtException", (error) => {
  process.stderr.write(`scconv: ${failureOf(error).line}\n`);
  if (process.argv.includes("--debug"))
    process.stderr.write(`${shown(error.stack ?? "", { colour: false })}\n`);
  process.exit(failureOf(error).status);
});

// A command under way keeps the program alive, whatever it waits for; once it is done, no thread of the engine or of the
// data does.
const alive = setInterval(() => {}, 2 ** 30);
const status = await run(process.argv.slice(2));
clearInterval(alive);
process.exit(status);
