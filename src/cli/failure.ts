import { CommanderError } from "commander";
import { printable, ScconvError } from "../base/errors.js";
import { systemWords } from "../host/node/file-errors.js";

/** Exit statuses of the contract. */
export const exit = { done: 0, failed: 1, usage: 2, notFinite: 3, interrupted: 130 } as const;

export interface Failure {
  /** One line, without the program's name. */
  readonly line: string;
  readonly status: number;
  /** For `--json`. */
  readonly document: { readonly error: { readonly code: string; readonly message: string } };
}

/** What is said of an error at the edge: one line, and a status. Stacks are for `--debug`. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ScconvError) return failure(error.code, error.message, statusOf(error));
  // Help in place of a command has been printed already.
  if (error instanceof CommanderError && error.code === "commander.help") {
    return failure("usage", "", exit.usage);
  }
  if (error instanceof CommanderError) return failure("usage", oneLine(error.message), exit.usage);
  if (error instanceof Error && error.name === "AbortError") {
    return failure("interrupted", "interrupted", exit.interrupted);
  }
  if (error instanceof Error && "syscall" in error) {
    return failure("io", systemLine(error), exit.failed);
  }
  const text = error instanceof Error ? error.message : String(error);
  return failure("internal", `${oneLine(text)} (unexpected; --debug shows where)`, exit.failed);
}

function failure(code: string, message: string, status: number): Failure {
  const line = printable(message);
  return { line, status, document: { error: { code, message: line } } };
}

function statusOf({ code }: ScconvError): number {
  if (code === "usage") return exit.usage;
  if (code === "not-finite") return exit.notFinite;
  return code === "interrupted" ? exit.interrupted : exit.failed;
}

function systemLine(error: Error): string {
  const { path } = error as NodeJS.ErrnoException;
  return path ? `${path}: ${systemWords(error)}` : systemWords(error);
}

/** Commander writes `error: …` and puts its suggestion on a second line. */
export const oneLine = (text: string): string =>
  text
    .replace(/^error: /i, "")
    .replace(/\s*\n\s*/g, " ")
    .trim();
