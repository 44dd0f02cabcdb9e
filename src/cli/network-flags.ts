import type { Command } from "commander";
import { type ConvUnitName, convUnitNames } from "../nn/units.js";
import { type Where, wheres } from "../zoo/index.js";
import { oneOf, real } from "./flags.js";
import { allUnitFlags, type UnitOptions } from "./unit-flags.js";

/** What stands in an architecture's blocks, and how wide it is: flags of all commands that build one. */
export interface NetworkFlags extends UnitOptions {
  readonly conv?: ConvUnitName;
  readonly layers?: Where;
  readonly width?: number;
}

export const networkFlags = (command: Command): Command =>
  allUnitFlags(
    command
      .option(
        "--conv <unit>",
        `in the blocks: ${convUnitNames.join(", ")} (default: standard)`,
        oneOf("--conv", convUnitNames),
      )
      .option(
        "--layers <which>",
        "the unit stands for the second k×k convolution of each block, for all of them, or for every convolution of the blocks, 1×1 too (default: second)",
        oneOf("--layers", wheres),
      )
      .option(
        "--width <factor>",
        "multiplies the channels of all layers (default: 1)",
        real("--width", { min: 0, max: 16, open: true }),
      ),
  );
