import { ScconvError } from "../base/errors.js";
import { formatMs } from "../base/format.js";
import type { Graph } from "../graph/ir.js";
import { bindInputs } from "../host/node/model-inputs.js";
import { type Timed, type TimeOptions, timeGraphs } from "../host/node/time-graphs.js";
import type { ScconvSettings } from "../nn/scconv.js";
import { deploy } from "../optimise/index.js";
import { chooseForms, type Form, sum } from "../surgery/choose-layers.js";
import type { Candidate } from "../surgery/match.js";
import { bordersOf, partOf, signatureOf } from "../surgery/surroundings.js";
import { planSwap, type Swapped, swap } from "../surgery/swap.js";
import type { LayerChoice } from "../surgery/swap-plan.js";
import type { CommandContext } from "./command.js";
import { table } from "./table.js";
import type { Target } from "./unit-flags.js";

/** A form of the unit that is tried everywhere. */
export type FormSettings = Pick<ScconvSettings, "alpha" | "scope">;

export interface LayerPlan {
  readonly threads: number | undefined;
  readonly batch: number;
  readonly forms: readonly FormSettings[];
  /** The convolutions that a unit fits. */
  readonly layers: readonly PlannedLayer[];
  /** Milliseconds of the network as it is. */
  readonly totalMs: number;
  /** Time after ÷ before: by the sum of what layers save, and of the whole network, measured. */
  readonly predicted: number;
  readonly measured: number;
}

export interface PlannedLayer {
  readonly name: string;
  /** Milliseconds of the convolution with its surroundings. */
  readonly ms: number;
  /** Milliseconds that each form saves there (below 0: loses), how sure that is, and the error that it leaves. */
  readonly forms: readonly Form[];
  /** Which form it gets. */
  readonly chosen?: number | undefined;
}

export interface PlanOptions {
  readonly settings: Partial<ScconvSettings>;
  readonly batch: number;
  readonly size?: number | undefined;
  readonly target?: Target | undefined;
  readonly where: string;
  /** Errors that a short calibration leaves, by layer, for one form of all these layers. */
  readonly errors?: ((layers: LayerChoice) => Promise<ReadonlyMap<string, number>>) | undefined;
}

const PART_ROUNDS = 15;
const WHOLE_ROUNDS = 21;

/** The share of the network's time that a choice may take at most: for less than these three hundredths nothing is swapped. */
const WORTH = 0.97;

/**
 * Measures, on this machine, what each form of the unit saves in place of each convolution, in its surroundings; chooses under
 * the target; and times the whole network that comes of it against the one that there is. Throws where nothing pays, and where
 * the target is out of reach.
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
  const timed = await timeParts(bound, { candidates, forms, settings }, context);
  const [whole] = await timeGraphs([deploy(bound)], timing(context, WHOLE_ROUNDS));
  const layers = await withErrors(timed, forms, options);
  const chosen = chooseForms(
    layers.map((l) => l.forms),
    { total: whole!.ms, latency: options.target?.latency },
  );
  const planned = layers.map((layer, i) => ({ ...layer, chosen: chosen[i] }));
  const choice = choiceOf({ layers: planned, forms });
  const saved = sum(
    layers.map((l) => l.forms),
    chosen,
  );
  const predicted = 1 - saved / whole!.ms;
  const tried = { where, convolutions: layers.length, forms: forms.length };
  if (choice.size === 0 || predicted > WORTH) throw nothingPays(predicted, tried);
  if (options.target && predicted > options.target.latency) {
    throw outOfReach(options.target, predicted, tried);
  }
  const swapped = swap(bound, { layers: choice, settings });
  const [, after] = await timeGraphs(
    [deploy(bound), deploy(swapped.graph, swapped.units)],
    timing(context, WHOLE_ROUNDS),
  );
  const { ratio: measured, saving, uncertainty } = after!;
  if (measured > WORTH || saving <= uncertainty) throw nothingPays(measured, tried);
  return {
    ...{ threads: context.threads, batch, forms, layers: planned, totalMs: whole!.ms },
    ...{ predicted, measured },
  };
}

/** The chosen layers with their settings, as `swap` takes them. */
export const choiceOf = ({ layers, forms }: Pick<LayerPlan, "layers" | "forms">): LayerChoice =>
  new Map(
    layers.flatMap(({ name, chosen }) => (chosen === undefined ? [] : [[name, forms[chosen]!] as const])),
  );

/** What was given stays as it was given; the rest is tried. */
function formsFor({ alpha, scope }: Partial<ScconvSettings>): FormSettings[] {
  const scopes = scope ? [scope] : (["element", "channel"] as const);
  const shares = alpha ? [alpha] : [0.5, 0.25];
  return scopes.flatMap((s) => shares.map((a) => ({ alpha: a, scope: s })));
}

const timing = ({ threads, seed, signal }: CommandContext, rounds: number): TimeOptions => ({
  ...{ threads, seed, signal, rounds },
});

/** Layers whose surroundings are the same are timed once. */
async function timeParts(
  graph: Graph,
  {
    candidates,
    forms,
    settings,
  }: {
    candidates: readonly Candidate[];
    forms: readonly FormSettings[];
    settings: Partial<ScconvSettings>;
  },
  context: CommandContext,
): Promise<PlannedLayer[]> {
  const groups = new Map<string, Candidate[]>();
  for (const c of candidates) {
    const signature = signatureOf(partOf(graph, bordersOf(graph, c.node)));
    groups.set(signature, [...(groups.get(signature) ?? []), c]);
  }
  const phase = context.progress.phase("time layers", groups.size * PART_ROUNDS);
  const results = new Map<string, readonly Timed[]>();
  let rounds = 0;
  for (const [signature, [first]] of groups) {
    const parts = [partOf(graph, bordersOf(graph, first!.node))].map((p) => deploy(p));
    for (const form of forms) parts.push(partWith(graph, first!, { ...settings, ...form }));
    const timed = await timeGraphs(parts, {
      ...timing(context, PART_ROUNDS),
      onRound: () => phase.tick(++rounds, first!.name),
    });
    results.set(signature, timed);
  }
  phase.done();
  const byLayer = new Map(
    [...groups].flatMap(([signature, members]) => members.map((c) => [c, results.get(signature)!] as const)),
  );
  return candidates.map((c) => {
    const [standard, ...others] = byLayer.get(c)!;
    return {
      name: c.name,
      ms: standard!.ms,
      forms: others.map(({ saving, uncertainty }) => ({ saving, uncertainty })),
    };
  });
}

/** The surroundings of a convolution with the unit in its place, as they are deployed. */
function partWith(graph: Graph, { node, name }: Candidate, settings: Partial<ScconvSettings>): Graph {
  const borders = bordersOf(graph, node);
  const swapped: Swapped = swap(graph, { layers: new Map([[name, settings]]) });
  const { target, output } = swapped.units[0]!;
  // Where the convolution's own output ends the part, the unit's does now.
  const outputs = borders.outputs.map((o) => (o === node.outputs[0] || o === target.output ? output : o));
  return deploy(partOf(swapped.graph, { ...borders, outputs }), swapped.units);
}

async function withErrors(
  layers: readonly PlannedLayer[],
  forms: readonly FormSettings[],
  { errors, settings }: PlanOptions,
): Promise<PlannedLayer[]> {
  if (!errors) return [...layers];
  const byForm: ReadonlyMap<string, number>[] = [];
  for (const [i, form] of forms.entries()) {
    const faster = layers.filter((l) => l.forms[i]!.saving > 0);
    const choice = new Map(faster.map((l) => [l.name, { ...settings, ...form }] as const));
    byForm.push(choice.size > 0 ? await errors(choice) : new Map());
  }
  return layers.map((l) => ({
    ...l,
    forms: l.forms.map((f, i) => ({ ...f, error: byForm[i]!.get(l.name) })),
  }));
}

interface Tried {
  readonly where: string;
  readonly convolutions: number;
  readonly forms: number;
}

const triedText = ({ convolutions, forms }: Tried) =>
  `${convolutions} convolution${convolutions === 1 ? "" : "s"} tried in ${forms} form${forms === 1 ? "" : "s"}`;

function nothingPays(best: number, tried: Tried): ScconvError {
  return new ScconvError("bad-input", "no swap makes this model faster on this machine", {
    where: tried.where,
    got: `${triedText(tried)}; the best choice ${best < 1 ? `takes ${best.toFixed(3)} of the network's time` : "is not surely faster"}`,
    need: `${WORTH} at most`,
    hint: "--layers all swaps for size all the same; a larger --latency-batch or other --threads may decide otherwise",
  });
}

function outOfReach({ latency }: Target, best: number, tried: Tried): ScconvError {
  return new ScconvError("bad-input", "no swap reaches the target on this machine", {
    where: tried.where,
    got: `${triedText(tried)}; what is surely faster takes ${best.toFixed(3)} of the network's time together`,
    need: `${latency} at most`,
    hint: "a higher --target, or none, takes what can be had",
  });
}

/** For people: what each form saves where, and what was chosen. */
export function planTable({ layers, forms, totalMs, predicted, measured }: LayerPlan): string {
  const label = ({ alpha, scope }: FormSettings) => `α ${alpha} ${scope}`;
  const right = (title: string) => ({ title, align: "right" as const });
  const cell = (f: Form, taken: boolean) => {
    const saved = `${f.saving > 0 ? "−" : "+"}${formatMs(Math.abs(f.saving))} ±${formatMs(f.uncertainty)}`;
    return `${saved}${f.error === undefined ? "" : ` · error ${f.error.toFixed(2)}`}${taken ? " ✓" : ""}`;
  };
  const rows = layers.map((l) => [
    l.name,
    formatMs(l.ms),
    ...l.forms.map((f, i) => cell(f, i === l.chosen)),
    l.chosen === undefined ? "kept" : label(forms[l.chosen]!),
  ]);
  const head = [
    ...[{ title: "layer" }, right("surroundings")],
    ...forms.map((f) => right(label(f))),
    { title: "chosen" },
  ];
  return `${table(head, rows)}\n\nnetwork ${formatMs(totalMs)} · predicted ${predicted.toFixed(3)} of it, measured ${measured.toFixed(3)}`;
}
