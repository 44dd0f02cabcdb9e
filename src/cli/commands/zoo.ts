import type { Dim } from "../../base/dims.js";
import { ScconvError } from "../../base/errors.js";
import { formatCount, formatDim } from "../../base/format.js";
import { type ConvUnit, convUnit } from "../../nn/units.js";
import { networkCost } from "../../ops/per-image.js";
import { architectures } from "../../zoo/index.js";
import { command } from "../command.js";
import { whole } from "../flags.js";
import { type NetworkFlags, networkFlags } from "../network-flags.js";
import { table } from "../table.js";
import { settingsOf } from "../unit-flags.js";

interface Options extends NetworkFlags {
  readonly classes?: number;
  readonly size?: number;
}

interface Row {
  readonly name: string;
  readonly about: string;
  /** Channels, height, width. */
  readonly input: readonly number[];
  readonly classes: number;
  /** Null where the unit does not fit; `reason` says why. */
  readonly parameters: number | null;
  readonly macs: Dim | null;
  readonly reason?: string;
}

export default command<[], Options>({
  configure: (c) =>
    networkFlags(c)
      .option("--classes <n>", "classes (default: each network's own, 1000 or 10)", whole("--classes"))
      .option(
        "--size <n>",
        "height and width of the images (default: each network's own, 224 or 32)",
        whole("--size"),
      ),

  async run(_, options) {
    const { conv = "standard", layers = "second" } = options;
    const unit = convUnit(conv, settingsOf(conv, options));
    const rows = Object.keys(architectures).map((name) => rowOf(name, unit, options));
    const unfit = rows.filter((r) => r.reason !== undefined);
    const right = (title: string) => ({ title, align: "right" as const });
    const columns = [
      { title: "name" },
      { title: "input" },
      right("classes"),
      right("parameters"),
      right("MACs"),
      { title: "" },
    ];
    return {
      document: { conv, layers, architectures: rows },
      text: ({ dim }) =>
        [
          table(
            columns,
            rows.map((r) => [
              r.name,
              r.input.join("×"),
              `${r.classes}`,
              r.parameters === null ? "–" : formatCount(r.parameters),
              r.macs === null ? "–" : formatDim(r.macs, formatCount),
              r.reason ?? r.about,
            ]),
          ),
          "",
          dim(
            `MACs of one image, as the graph executes them. ${conv === "standard" ? "" : `${conv} in place of ${layers}. `}${
              unfit.length > 0
                ? `${unfit.length} networks are listed with the reason why it does not fit.`
                : ""
            }`.trim(),
          ),
        ].join("\n"),
    };
  },
});

function rowOf(name: string, unit: ConvUnit, options: Options): Row {
  const { about, build, ...own } = architectures[name]!;
  const { layers: where = "second", width = 1 } = options;
  const { classes = own.classes, size = own.size } = options;
  const row = { name, about, input: [3, size, size], classes };
  try {
    const network = build({ classes, size, unit, where, width, init: "zeros" });
    const { parameters, macs } = networkCost(network);
    return { ...row, parameters, macs };
  } catch (error) {
    if (!(error instanceof ScconvError)) throw error;
    return { ...row, parameters: null, macs: null, reason: error.message };
  }
}
