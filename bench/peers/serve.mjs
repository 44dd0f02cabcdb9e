// The other side of peer.mjs: the first line on stdin says what to build, every further one asks for a number of steps.
import { createInterface } from "node:readline";

export const say = (document) => process.stdout.write(`${JSON.stringify(document)}\n`);

/** `start` builds, says what it is, and returns what runs steps. */
export async function serve(start) {
  let run;
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line);
    if (run) say(await run(message.steps));
    else run = await start(message);
  }
  process.exit(0);
}
