// The other side of peer.mjs: the first line on stdin says what to build, every further one asks for a number of steps.
import { createInterface } from "node:readline";

export const say = (document) => process.stdout.write(`${JSON.stringify(document)}\n`);

/** The most memory that this process has held so far, in MiB. */
export const heldMb = () => Math.round(process.resourceUsage().maxRSS / 1024);

/** Started now; answers seconds on the wall and seconds of processor time, of all threads of this process. */
export function clock() {
  const [started, used] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { seconds: (performance.now() - started) / 1000, processorSeconds: (user + system) / 1e6 };
  };
}

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
