// Writes docs/commands.md from the command table: `npm run docs`. With --check it only says whether the file is current.
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const { commands } = await import("../dist/cli/commands/index.js");
const cli = at("../dist/cli/main.js");
const help = (...args) =>
  spawnSync(process.execPath, [cli, ...args, "--help"], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  }).stdout;

const sections = commands.map(({ name }) => `## ${name}\n\n\`\`\`text\n${help(name).trim()}\n\`\`\`\n`);
const page = `# Commands

Made by \`npm run docs\` from the command table.

\`\`\`text
${help().trim()}
\`\`\`

${sections.join("\n")}`;

const file = at("commands.md");
if (process.argv.includes("--check")) {
  const current = await readFile(file, "utf8").catch(() => "");
  if (current !== page) {
    process.stderr.write("docs/commands.md is not current: npm run docs\n");
    process.exit(1);
  }
} else await writeFile(file, page);
