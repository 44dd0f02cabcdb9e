import { ScconvError } from "../base/errors.js";
import type { ScconvSettings } from "../nn/scconv.js";

/** Which convolutions get a unit, each with the settings that are not the paper's: what `swap` takes as `layers`. */
export type LayerChoice = ReadonlyMap<string, Partial<ScconvSettings>>;

/** What a plan may say of a layer. Kernel, stride and dilation are the convolution's own. */
const settings = {
  ...{ alpha: "number", squeeze: "number", convGroups: "number", groups: "number" },
  ...{ threshold: "number", gateBias: "number" },
  gate: ["straight-through", "hard", "soft"],
  scope: ["element", "channel"],
  order: ["sc", "cs", "parallel", "s", "c"],
  fuse: ["pair", "all"],
} as const satisfies { readonly [K in keyof ScconvSettings]?: "number" | readonly ScconvSettings[K][] };

const MARK = "scconv swap plan";

/** The choice as a file: JSON, one layer a line, in the order of the choice. */
export function encodeSwapPlan(layers: LayerChoice, model: string): string {
  const lines = [...layers].map(([name, own]) => `    ${JSON.stringify({ name, ...own })}`);
  return `{\n  "format": "${MARK}",\n  "version": 1,\n  "model": ${JSON.stringify(model)},\n  "layers": [\n${lines.join(",\n")}\n  ]\n}\n`;
}

/** Reads such a file. Throws `bad-input` for what is none, or says of a layer what a unit does not have. */
export function decodeSwapPlan(text: string, where: string): LayerChoice {
  const bad = (what: string, got: string, need: string) =>
    new ScconvError("bad-input", what, { where, got, need });
  const plan = documentOf(text);
  if (plan?.format !== MARK || !Array.isArray(plan.layers)) {
    throw new ScconvError("bad-input", "not a plan of scconv", {
      where,
      need: `{"format": "${MARK}", "version": 1, "layers": [{"name": …}, …]}`,
    });
  }
  if (plan.version !== 1) throw bad("a plan of another version", `${plan.version}`, "1");
  const layers = new Map<string, Partial<ScconvSettings>>();
  for (const [i, entry] of plan.layers.entries()) {
    const { name, ...own } = recordOf(entry) ?? {};
    if (typeof name !== "string" || layers.has(name)) {
      throw bad(`layer ${i + 1} of the plan has no name of its own`, JSON.stringify(entry), "a name, once");
    }
    for (const [key, value] of Object.entries(own)) {
      const kind = Object.hasOwn(settings, key) ? settings[key as keyof typeof settings] : undefined;
      if (!kind) {
        throw bad(`a setting of "${name}" is not known`, `"${key}"`, Object.keys(settings).join(", "));
      }
      const fits = kind === "number" ? Number.isFinite(value) : (kind as readonly unknown[]).includes(value);
      if (!fits) {
        throw bad(
          `${key} of "${name}" can not be`,
          JSON.stringify(value),
          kind === "number" ? "a number" : kind.join(", "),
        );
      }
    }
    layers.set(name, own as Partial<ScconvSettings>);
  }
  if (layers.size === 0) throw bad("the plan swaps nothing", "no layers", "at least one");
  return layers;
}

function documentOf(text: string): Record<string, unknown> | undefined {
  try {
    return recordOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const recordOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
