/*
 * What ONNX Runtime logs in a browser. Its WebAssembly prints to the console, whose functions it keeps from when it is started: ours
 * have to be in their place then, and hand everything on while nobody listens.
 */
import { inTurn } from "./in-turn.js";

let heard: ((line: string) => void) | undefined;
/** Two engines that start at once would give the console back to each other; and who listens is to hear nobody else. */
const turns = inTurn();

/** Starts the engine so that it can be listened to later. */
export const startAudibly = <T>(start: () => Promise<T>): Promise<T> =>
  turns(async () => {
    const own = { log: console.log, error: console.error };
    const ours = { log: through(own.log), error: through(own.error) };
    Object.assign(console, ours);
    try {
      return await start();
    } finally {
      for (const level of ["log", "error"] as const) {
        if (console[level] === ours[level]) console[level] = own[level];
      }
    }
  });

const through =
  (to: typeof console.log): typeof console.log =>
  (...said) => {
    if (heard) heard(said.join(" "));
    else to.apply(console, said);
  };

/** The lines of the log that hold `mark`, which come while `work` is done and reach the console no more. */
export const listen = (mark: string, work: () => Promise<void>): Promise<string[]> =>
  turns(async () => {
    const lines: string[] = [];
    heard = (line) => {
      if (line.includes(mark)) lines.push(line);
    };
    try {
      await work();
    } finally {
      heard = undefined;
    }
    return lines;
  });
