import type { Command } from "commander";
import { ScconvError } from "../base/errors.js";
import type { Fuse } from "../nn/cru.js";
import type { Order, ScconvSettings } from "../nn/scconv.js";
import type { Gate, Scope } from "../nn/sru.js";
import { type ConvUnitName, convUnitNames, convUnits, type UnitSettings } from "../nn/units.js";
import { fraction, oneOf, real, whole } from "./flags.js";

export type UnitOptions = { readonly [K in keyof UnitSettings]: UnitSettings[K] };

export interface SwapFlags extends UnitOptions {
  readonly with: "scconv";
  readonly layers: string;
  readonly target?: Target;
  readonly plan?: string;
  readonly latencyBatch: number;
}

interface Flag<T> {
  /** As commander takes it: `--alpha <share>`. */
  readonly flag: string;
  readonly text: string;
  readonly read: (text: string) => T;
}
const flag = <T>(name: string, value: string, text: string, read: (name: string) => (text: string) => T) => ({
  ...{ flag: `${name} <${value}>`, text, read: read(name) },
});
const between = (name: string) => real(name, { min: 0, max: 1, open: true });

/** How each setting of a unit is given on the command line; what is not given is the paper's. */
const flags: { readonly [K in keyof Required<UnitSettings>]: Flag<UnitSettings[K]> | undefined } = {
  alpha: flag(
    "--alpha",
    "share",
    "share of the channels in the upper part (SPConv: the representative, OctConv: the low-frequency ones; default: 0.5)",
    between,
  ),
  squeeze: flag("--squeeze", "r", "squeeze ratio of the 1×1 convolutions (default: 2)", whole),
  convGroups: flag("--conv-groups", "g", "groups of the k×k convolution (default: 2)", whole),
  groups: flag("--groups", "g", "groups of the gate's normalisation (default: 4)", whole),
  threshold: flag("--threshold", "t", "of the gate (default: 0.5)", between),
  gate: flag("--gate", "kind", "straight-through, hard or soft (default: straight-through)", (name) =>
    oneOf<Gate>(name, ["straight-through", "hard", "soft"]),
  ),
  scope: flag("--scope", "what", "the gate decides per element or per channel (default: element)", (name) =>
    oneOf<Scope>(name, ["element", "channel"]),
  ),
  order: flag("--order", "units", "sc, cs, parallel, or s or c alone (default: sc)", (name) =>
    oneOf<Order>(name, ["sc", "cs", "parallel", "s", "c"]),
  ),
  gateBias: flag(
    "--gate-bias",
    "b",
    "β of the gate at the start: from 2 on it begins open (default: 0, in slim: 2)",
    real,
  ),
  fuse: flag("--fuse", "how", "softmax over pair or all (default: pair)", (name) =>
    oneOf<Fuse>(name, ["pair", "all"]),
  ),
  ghostRatio: flag(
    "--ghost-ratio",
    "s",
    "Ghost: all feature maps to the intrinsic ones (default: 2)",
    (name) => whole(name, 2),
  ),
  ghostKernel: flag("--ghost-kernel", "d", "Ghost: kernel of the cheap operation (default: 3)", whole),
  slimK: flag(
    "--slim-k",
    "k",
    "SlimConv: so many times fewer channels come out: 1, 4/3, 2, 8/3 … (default: 1)",
    (name) => fraction(name, { min: 1 }),
  ),
  tiedBlocks: flag("--tied-blocks", "B", "TiedConv: blocks that share their filters (default: 2)", whole),
  eps: undefined,
};
const settingNames = Object.keys(flags) as (keyof UnitSettings)[];

/** The flags for the settings of these units, each once. */
export function unitFlags(command: Command, units: readonly ConvUnitName[] = ["scconv"]): Command {
  for (const name of settingNames) {
    const { flag: spelling, text, read } = flags[name] ?? {};
    if (read && units.some((u) => Object.hasOwn(convUnits[u].defaults, name)))
      command.option(spelling!, text!, read as (t: string) => unknown);
  }
  return command;
}

/** The flags of every unit that `--conv` takes. */
export const allUnitFlags = (command: Command): Command => unitFlags(command, convUnitNames);

export interface Target {
  /** Time after ÷ before. */
  readonly latency: number;
}

function target(text: string): Target {
  const share = Number(/^latency=(\d*\.?\d+)$/.exec(text)?.[1]);
  if (share > 0 && share < 1) return { latency: share };
  throw new ScconvError("usage", "--target: not a target", {
    got: text,
    need: "latency=SHARE, between 0 and 1",
  });
}

export const swapFlags = (command: Command): Command =>
  unitFlags(
    command
      .option(
        "--layers <which>",
        "auto (what is faster here, by measurement), all, second, or globs over node names: 'layer3*,layer4*'",
        "auto",
      )
      .option("--plan <file>", "layers and their settings from a file, as `scconv studio` writes it")
      .option(
        "--target <what>",
        "with auto: latency=0.8 takes no more layers than it needs for 0.8 of the time",
        target,
      )
      .option("--latency-batch <n>", "batch at which models are timed", whole("--latency-batch"), 1)
      .option(
        "--with <unit>",
        "what takes the convolutions' place",
        oneOf("--with", ["scconv"] as const),
        "scconv",
      ),
  );

/** The settings that were given; the others keep their defaults. */
export function givenSettings(options: UnitOptions): UnitSettings {
  return Object.fromEntries(settingNames.filter((n) => options[n] !== undefined).map((n) => [n, options[n]]));
}

/** Of SCConv, where nothing else can be given. */
export const unitSettings = (options: UnitOptions): Partial<ScconvSettings> => givenSettings(options);

/** The settings that were given for `unit`; a flag that it does not have is a mistake of usage. */
export function settingsOf(unit: ConvUnitName, options: UnitOptions): UnitSettings {
  const given = givenSettings(options);
  const spelt = (name: keyof UnitSettings) => flags[name]?.flag.split(" ")[0] ?? name;
  const own = settingNames.filter((n) => flags[n] && Object.hasOwn(convUnits[unit].defaults, n));
  for (const name of Object.keys(given) as (keyof UnitSettings)[]) {
    if (own.includes(name)) continue;
    throw new ScconvError("usage", `--conv ${unit} has no such setting`, {
      got: spelt(name),
      need: own.length > 0 ? own.map(spelt).join(", ") : "none",
    });
  }
  return given;
}

/** Whether layers are chosen by measurement. */
export function isPlanned({ layers, target, plan }: SwapFlags): boolean {
  if (plan !== undefined) {
    if (layers === "auto" && !target) return false;
    throw new ScconvError("usage", "--plan has chosen the layers already", {
      got: target ? "--target" : `--layers ${layers}`,
    });
  }
  if (layers !== "auto" && target) {
    throw new ScconvError("usage", "--target needs layers to choose from", {
      got: `--layers ${layers}`,
      need: "--layers auto",
    });
  }
  return layers === "auto";
}
