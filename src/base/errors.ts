/**
 * Errors are data; the text is made at the edge. `code` decides the exit status of the command line:
 * `usage` 2 · `not-finite` 3 · `interrupted` 130 · everything else 1.
 */
export type ErrorCode =
  | "bad-input"
  | "not-found"
  | "not-an-onnx-file"
  | "invalid-graph"
  | "unsupported"
  | "not-differentiable"
  | "bad-setting"
  | "shape"
  | "io"
  | "engine"
  | "usage"
  | "not-finite"
  | "interrupted";

export interface ErrorFacts {
  /** Where: a file, a node (`Conv "layer1.0.conv2"`), a flag. */
  readonly where?: string | undefined;
  /** What was found there. */
  readonly got?: string | undefined;
  /** What would have been valid. */
  readonly need?: string | undefined;
  /** How to mend it. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** An error that a user can act on: what, where, got, needed, and how to mend it, in one line. */
export class ScconvError extends Error {
  override readonly name = "ScconvError";
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, what: string, facts: ErrorFacts = {}) {
    super(describe(what, facts), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.facts = facts;
  }
}

function describe(what: string, { where, got, need, hint }: ErrorFacts): string {
  const body = [what, need && `need ${need}`, got && `got ${got}`].filter(Boolean).join(", ");
  const text = where ? `${where}: ${body}` : body;
  return printable(hint ? `${text} (${hint})` : text);
}

/** Names from files are data: control bytes and direction overrides never reach a terminal. */
export function printable(text: string, limit = 2000): string {
  const clipped = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return clipped.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what we look for
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
