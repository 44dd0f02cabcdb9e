import { Command } from "commander";
import { distance } from "fastest-levenshtein";
import { ScconvError } from "../../base/errors.js";
import { oneLine } from "../failure.js";
import { type RunFlags, runFlags } from "../run-flags.js";
import type { CellFlags } from "./grid.js";

/** Of the whole grid: all cells see the same images, and each seed makes a run. */
const whole = ["data", "size", "limit", "crop", "saveEvery", "seed"];

const flagOf = (key: string): string => `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;

/**
 * A cell's settings, read as `scconv train` reads its flags, so that what holds there holds here. Throws `bad-input` for
 * what train would refuse.
 */
export function readCellFlags(cell: CellFlags, where: string): RunFlags & { readonly architecture?: string } {
  const { architecture, ...others } = cell;
  const wrong = (what: string, hint?: string) => new ScconvError("bad-input", what, { where, hint });
  if (architecture !== undefined && typeof architecture !== "string") throw wrong("architecture is no name");
  const command = runFlags(new Command())
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: () => {} });
  const known = command.options.filter((o) => !o.negate).map((o) => o.attributeName());
  const words = Object.entries(others).map(([key, value]) => {
    if (whole.includes(key)) throw wrong(`${key} is the whole grid's, not a cell's`, `give ${flagOf(key)}`);
    if (!known.includes(key)) {
      const near = [...known, "architecture"].toSorted((a, b) => distance(a, key) - distance(b, key))[0];
      throw wrong(`no setting is called "${key}"`, `did you mean ${near}?`);
    }
    if (value === true) return flagOf(key);
    return value === false ? `--no-${flagOf(key).slice(2)}` : `${flagOf(key)}=${value}`;
  });
  try {
    command.parse(words, { from: "user" });
  } catch (cause) {
    throw new ScconvError("bad-input", oneLine((cause as Error).message), { where, cause });
  }
  return { ...command.opts<RunFlags>(), ...(architecture === undefined ? {} : { architecture }) };
}

/** The settings as `scconv train` would be given them: `resnet20 --conv scconv --order s`. */
export const formatCellFlags = ({ architecture, ...flags }: CellFlags): string =>
  [
    ...(architecture === undefined ? [] : [architecture]),
    ...Object.entries(flags).map(([key, value]) => {
      if (value === false) return `--no-${flagOf(key).slice(2)}`;
      return value === true ? flagOf(key) : `${flagOf(key)} ${value}`;
    }),
  ].join(" ");
