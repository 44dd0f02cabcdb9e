import type { WriteStream } from "node:tty";
import pc from "picocolors";
import { printable } from "../base/errors.js";

/** Colours, or none. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

export interface StreamAbilities {
  readonly colour: boolean;
  /** Lines may be drawn again in place: bars make sense. */
  readonly bars: boolean;
}

/** What may be sent to a stream: pipes and dumb terminals get plain lines, `NO_COLOR` (no-color.org) no colour. */
export function abilitiesOf(
  stream: Pick<WriteStream, "isTTY">,
  env: Readonly<Record<string, string | undefined>> = process.env,
): StreamAbilities {
  const terminal = Boolean(stream.isTTY) && env.TERM !== "dumb";
  const plain = env.NO_COLOR !== undefined && env.NO_COLOR !== "";
  return { colour: terminal && !plain, bars: terminal && !plain && !env.CI };
}

export function paintFor({ colour }: Pick<StreamAbilities, "colour">): Paint {
  const c = pc.createColors(colour);
  return { bold: c.bold, dim: c.dim, good: c.green, bad: c.red };
}

/** The codes that `paintFor` writes; nothing else may come through. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what they begin with
const paints = /(\u001b\[(?:1|2|22|31|32|39)m)/;

/**
 * What a stream may be sent of an answer: its lines, its colours where there are any, and everything else that controls a
 * terminal shown by its code. Commands clip and escape names themselves; this holds where one forgot.
 */
export function shown(text: string, { colour }: Pick<StreamAbilities, "colour">): string {
  const line = (l: string) => printable(l, Number.POSITIVE_INFINITY);
  const painted = (l: string) =>
    l
      .split(paints)
      .map((part, i) => (i % 2 ? part : line(part)))
      .join("");
  return text
    .split("\n")
    .map(colour ? painted : line)
    .join("\n");
}
