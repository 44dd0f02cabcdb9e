import type { Command } from "commander";
import type { Progress } from "../runtime/progress.js";
import type { Paint } from "./paint.js";

/** What every command is given besides its own arguments: the flags that hold everywhere, and the way to the terminal. */
export interface CommandContext {
  readonly json: boolean;
  readonly debug: boolean;
  readonly threads: number | undefined;
  readonly seed: number;
  /** Aborted by the first SIGINT or SIGTERM: stop cleanly, keep what is done. */
  readonly signal: AbortSignal;
  /** `--allow-external-links`. */
  readonly externalLinks: boolean;
  readonly progress: Progress;
  /** A line about what happens, on stderr; silent with `--quiet`. */
  note(text: string): void;
  /** A line that matters, on stderr, also with `--quiet`. */
  warn(text: string): void;
  /** The words of the command line, for reports. */
  readonly argv: readonly string[];
}

/** What a command found out. Printing it is not the command's affair, so that stdout carries one document or one text. */
export interface Outcome {
  /** For `--json`. */
  readonly document: unknown;
  readonly text: (paint: Paint) => string;
  /** The command did its work and the answer is no: exit status 1. */
  readonly failed?: boolean;
}

export interface CommandModule {
  /** Declares arguments and flags. */
  configure(command: Command): void;
  run(args: readonly unknown[], options: unknown, context: CommandContext): Promise<Outcome>;
}

/** A command whose arguments and options have the types that its own declaration gives them. */
export function command<Args extends readonly unknown[], Options>(definition: {
  configure(command: Command): void;
  run(args: Args, options: Options, context: CommandContext): Promise<Outcome>;
}): CommandModule {
  return definition as CommandModule;
}
