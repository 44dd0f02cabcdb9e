import { spawn } from "node:child_process";

/** What a command prints on stdout, one JSON document; what it says on stderr is passed on. */
export function jsonOf(command, args, { env = {}, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = ["ignore", "pipe", "inherit"];
    const child = spawn(command, args, { ...options, stdio, env: { ...process.env, ...env } });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      out += text;
    });
    child.on("error", reject);
    child.on("close", (status, signal) =>
      status === 0 ? resolve(JSON.parse(out)) : reject(new Error(`${args.join(" ")}: ${signal ?? status}`)),
    );
  });
}
