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

/** Each fact is clipped by itself, so that a name of a megabyte does not push what is wrong out of the line. */
const longestFact = 600;

function describe(what: string, { where, got, need, hint }: ErrorFacts): string {
  const fact = (text: string | undefined, limit = longestFact) => text && printable(text, limit);
  const body = [fact(what, longestLine), need && `need ${fact(need)}`, got && `got ${fact(got)}`].filter(
    Boolean,
  );
  const text = `${where ? `${fact(where)}: ` : ""}${body.join(", ")}`;
  return hint ? `${text} (${fact(hint)})` : text;
}

const longestLine = 2000;

/**
 * Names from files are data: what controls a terminal, is invisible or turns the direction of text never reaches one.
 * Control characters (Cc), formatting characters (Cf: bidirectional marks and overrides, zero-width ones, tags), line and
 * paragraph separators (Zl, Zp) and halves of surrogate pairs (Cs) are shown by their code.
 */
export function printable(text: string, limit = longestLine): string {
  const clipped = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return clipped.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (c) => {
    const code = c.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
  });
}
