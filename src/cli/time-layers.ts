import type { Graph } from "../graph/ir.js";
import { type Timed, type TimeOptions, timeGraphs } from "../host/node/time-graphs.js";
import { type ScconvSettings, scconvDefaults } from "../nn/scconv.js";
import { deploy } from "../optimise/index.js";
import { type Candidate, matchConvolutions } from "../surgery/match.js";
import { asInNetwork, bordersOf, partOf, signatureOf } from "../surgery/surroundings.js";
import { type Swapped, swap } from "../surgery/swap.js";
import type { CommandContext } from "./command.js";
import type { FormSettings, PlannedLayer } from "./layer-plan.js";

const PART_ROUNDS = 15;
/** One process can mislead in all of its rounds: see `timeGraphs`. */
const PROCESSES = 3;

export const timing = ({ threads, seed, signal }: CommandContext, rounds: number): TimeOptions => ({
  ...{ threads, seed, signal, rounds, processes: PROCESSES },
});

/** Layers whose surroundings are the same are timed once; a form that does not fit a layer is left out there. */
export async function timeLayers(
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
  const fitting = forms.map((form) => {
    const of = { ...scconvDefaults, ...settings, ...form };
    const names = matchConvolutions(graph, () => of)
      .filter((c) => c.swappable)
      .map((c) => c.name);
    return new Set(names);
  });
  const phase = context.progress.phase("time layers", groups.size * PART_ROUNDS);
  const results = new Map<string, { standard: Timed; forms: readonly (Timed | undefined)[] }>();
  let rounds = 0;
  for (const [signature, [first]] of groups) {
    const parts = [deploy(asInNetwork(partOf(graph, bordersOf(graph, first!.node))))];
    const tried = forms.filter((_, i) => fitting[i]!.has(first!.name));
    for (const form of tried) parts.push(partWith(graph, first!, { ...settings, ...form }));
    const [standard, ...timed] = await timeGraphs(parts, {
      ...timing(context, PART_ROUNDS),
      onRound: () => phase.tick(++rounds, first!.name),
    });
    results.set(signature, { standard: standard!, forms: forms.map((f) => timed[tried.indexOf(f)]) });
  }
  phase.done();
  const byLayer = new Map(
    [...groups].flatMap(([signature, members]) => members.map((c) => [c, results.get(signature)!] as const)),
  );
  return candidates.map((c) => {
    const timed = byLayer.get(c)!;
    return {
      name: c.name,
      ms: timed.standard.ms,
      forms: timed.forms.map((f) => f && { saving: f.saving, uncertainty: f.uncertainty }),
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
  return deploy(asInNetwork(partOf(swapped.graph, { ...borders, outputs })), swapped.units);
}
