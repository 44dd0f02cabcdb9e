// A small residual network that this project trained on Fashion-MNIST (demo/README.md has the command) is slimmed on
// real images: the same command that a user gives, on a part of the images so that it ends within minutes.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const model = join(here, "fashion-resnet.onnx");
const out = join(here, "out");
if (!existsSync(model)) {
  process.stderr.write("demo/fashion-resnet.onnx is missing; demo/README.md says how it was made\n");
  process.exit(1);
}

const named = (path) => relative(process.cwd(), path) || ".";
const args = [
  ...["slim", named(model), "--data", "fashion-mnist", "--limit", "10000", "--layers", "all"],
  // One gate decision to a channel: the unit's gate then costs nothing at inference.
  ...["--scope", "channel"],
  ...[
    "--calibrate",
    "150",
    "--epochs",
    "3",
    "-o",
    named(join(out, "slim.onnx")),
    "--report",
    named(join(out, "report")),
  ],
];
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
process.stdout.write(`scconv ${args.join(" ")}\n\n`);
const cli = join(root, "dist", "cli", "main.js");
const child = spawn(process.execPath, [cli, ...args], { stdio: "inherit" });
// Ctrl-C reaches the command too, which stops cleanly; this one waits for it.
process.on("SIGINT", () => {});
child.on("close", (status) => process.exit(status ?? 1));
