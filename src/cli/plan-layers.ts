import type { Graph } from "../graph/ir.js";
import { bindInputs } from "../host/node/model-inputs.js";
import { timeGraphs } from "../host/node/time-graphs.js";
import type { ScconvSettings } from "../nn/scconv.js";
import { deploy } from "../optimise/index.js";
import { planSwap, swap } from "../surgery/swap.js";
import type { LayerChoice } from "../surgery/swap-plan.js";
import { type Bounds, choosePlan, fastestOf, nothingPays, WORTH } from "./choose-plan.js";
import type { CommandContext } from "./command.js";
import { choiceOf, type FormSettings, type LayerPlan, type PlannedLayer } from "./layer-plan.js";
import { timeLayers, timing } from "./time-layers.js";

export interface PlanOptions extends Bounds {
  readonly settings: Partial<ScconvSettings>;
  readonly batch: number;
  readonly size?: number | undefined;
  readonly where: string;
  /** Errors that a short calibration leaves, by layer, for one form of all these layers. */
  readonly errors?: ((layers: LayerChoice) => Promise<ReadonlyMap<string, number>>) | undefined;
}

const WHOLE_ROUNDS = 21;

/**
 * Measures, on this machine, what each form of the unit saves in place of each convolution, in its surroundings; chooses under
 * the target and the accuracy that may be lost; and times the whole network that comes of it against the one that there is.
 * Throws where nothing pays, and where the target is out of reach or costs too much accuracy.
 */
export async function planLayers(
  original: Graph,
  options: PlanOptions,
  context: CommandContext,
): Promise<LayerPlan> {
  const { settings, batch, size, where } = options;
  const bound = bindInputs(original, { batch, size, where });
  // Throws, with the reasons, where the unit fits nothing.
  const candidates = planSwap(bound, { layers: "all", settings }).swapped;
  const forms = formsFor(settings);
  const timed = await timeLayers(bound, { candidates, forms, settings }, context);
  const [whole] = await timeGraphs([deploy(bound)], timing(context, WHOLE_ROUNDS));
  const layers = await withErrors(timed, forms, options);
  const timings = { layers, forms, total: whole!.ms, where };
  const time = async (choice: LayerChoice) => {
    const { graph, units } = swap(bound, { layers: choice, settings });
    const [, after] = await timeGraphs([deploy(bound), deploy(graph, units)], timing(context, WHOLE_ROUNDS));
    const { ratio, saving, uncertainty } = after!;
    if (ratio > WORTH || saving <= uncertainty) throw nothingPays(ratio, timings, uncertainty / whole!.ms);
    return ratio;
  };
  const { target, accuracy } = options;
  // Before trials, which take long: does the fastest choice hold what it promises?
  if (accuracy) await time(choiceOf({ ...fastestOf(timings), forms }));
  const chosen = await choosePlan(timings, { target, accuracy });
  const measured = await time(choiceOf({ ...chosen, forms }));
  return { ...{ threads: context.threads, batch, forms, totalMs: whole!.ms }, ...chosen, measured };
}

/** What was given stays as it was given; the rest is tried. */
function formsFor({ alpha, scope }: Partial<ScconvSettings>): FormSettings[] {
  const scopes = scope ? [scope] : (["element", "channel"] as const);
  const shares = alpha ? [alpha] : [0.5, 0.25];
  return scopes.flatMap((s) => shares.map((a) => ({ alpha: a, scope: s })));
}

async function withErrors(
  layers: readonly PlannedLayer[],
  forms: readonly FormSettings[],
  { errors, settings }: PlanOptions,
): Promise<PlannedLayer[]> {
  if (!errors) return [...layers];
  const byForm: ReadonlyMap<string, number>[] = [];
  for (const [i, form] of forms.entries()) {
    const faster = layers.filter((l) => (l.forms[i]?.saving ?? 0) > 0);
    const choice = new Map(faster.map((l) => [l.name, { ...settings, ...form }] as const));
    byForm.push(choice.size > 0 ? await errors(choice) : new Map());
  }
  return layers.map((l) => ({
    ...l,
    forms: l.forms.map((f, i) => f && { ...f, error: byForm[i]!.get(l.name) }),
  }));
}
