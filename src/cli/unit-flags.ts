import type { Command } from "commander";
import type { Fuse } from "../nn/cru.js";
import type { Order, ScconvSettings } from "../nn/scconv.js";
import type { Gate, Scope } from "../nn/sru.js";
import { oneOf, real, whole } from "./flags.js";

export interface UnitOptions {
  readonly alpha?: number;
  readonly squeeze?: number;
  readonly convGroups?: number;
  readonly groups?: number;
  readonly threshold?: number;
  readonly gate?: Gate;
  readonly scope?: Scope;
  readonly order?: Order;
  readonly fuse?: Fuse;
}

export interface SwapFlags extends UnitOptions {
  readonly with: "scconv";
  readonly layers: string;
}

/** The unit's settings; what is not given is the paper's (SPEC: alpha 0.5, squeeze 2, groups 2 and 4). */
export const unitFlags = (command: Command): Command =>
  command
    .option("--alpha <share>", "share of the channels in the upper part (default: 0.5)", between("--alpha"))
    .option("--squeeze <r>", "squeeze ratio of the 1×1 convolutions (default: 2)", whole("--squeeze"))
    .option("--conv-groups <g>", "groups of the k×k convolution (default: 2)", whole("--conv-groups"))
    .option("--groups <g>", "groups of the gate's normalisation (default: 4)", whole("--groups"))
    .option("--threshold <t>", "of the gate (default: 0.5)", between("--threshold"))
    .option(
      "--gate <kind>",
      "straight-through, hard or soft (default: straight-through)",
      oneOf<Gate>("--gate", ["straight-through", "hard", "soft"]),
    )
    .option(
      "--scope <what>",
      "the gate decides per element or per channel (default: element)",
      oneOf<Scope>("--scope", ["element", "channel"]),
    )
    .option(
      "--order <units>",
      "sc, cs, parallel, or s or c alone (default: sc)",
      oneOf<Order>("--order", ["sc", "cs", "parallel", "s", "c"]),
    )
    .option(
      "--fuse <how>",
      "softmax over pair or all (default: pair)",
      oneOf<Fuse>("--fuse", ["pair", "all"]),
    );

const between = (flag: string) => real(flag, { min: 0, max: 1, open: true });

export const swapFlags = (command: Command): Command =>
  unitFlags(
    command
      .option("--layers <which>", "auto, all, second, or globs over node names: 'layer3*,layer4*'", "auto")
      .option(
        "--with <unit>",
        "what takes the convolutions' place",
        oneOf("--with", ["scconv"] as const),
        "scconv",
      ),
  );

const names = [
  "alpha",
  "squeeze",
  "convGroups",
  "groups",
  "threshold",
  "gate",
  "scope",
  "order",
  "fuse",
] as const;

/** The settings that were given; the others keep their defaults. */
export function unitSettings(options: UnitOptions): Partial<ScconvSettings> {
  return Object.fromEntries(names.filter((n) => options[n] !== undefined).map((n) => [n, options[n]]));
}

/** `auto` chooses by measurement once there is a planner; until then it is every layer that the unit fits. */
export const layersOf = ({ layers }: SwapFlags): string => (layers === "auto" ? "all" : layers);
