import type { WriteStream } from "node:tty";
import pc from "picocolors";

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
