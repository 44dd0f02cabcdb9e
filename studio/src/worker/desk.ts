import {
  costPerImage,
  deploy,
  encodeModel,
  encodeSwapPlan,
  formatShape,
  type Graph,
  isStatic,
  type LayerChoice,
  layerRows,
  layerTable,
  lower,
  matchConvolutions,
  modelOf,
  planSwap,
  prepare,
  ScconvError,
  scconvDefaults,
  swap,
  totalParameters,
  type ValueInfo,
} from "scconv";
import { type OpenedModel, openModelFile } from "scconv/web";
import type { Choice, Desk, ModelFiles, ModelSummary, Presets, ValueSummary, WhatIf } from "./protocol.js";

interface Held {
  readonly name: string;
  readonly opened: OpenedModel;
  /** Ready for surgery; made when it is asked for. */
  original?: Graph;
}

/** Holds one model, and answers what is in it and what a swap would change. */
export function desk(): Desk {
  let held: Held | undefined;
  const model = (): Held => {
    if (held) return held;
    throw new ScconvError("usage", "no model is open");
  };
  const original = (): Graph => {
    const m = model();
    m.original ??= prepare(m.opened.graph);
    return m.original;
  };
  const graphOf = (choice: Choice, init: "random" | "zeros") => {
    const swapped = swap(original(), { layers: layersOf(choice), init });
    return { swapped, graph: lower(swapped.graph) };
  };
  return {
    async open(files, size) {
      const started = performance.now();
      // What was open goes first: two large models need not be in memory.
      held = undefined;
      const opened = await openModelFile(files.model, { external: files.external });
      const summary = summaryOf(files, opened, size);
      held = { name: files.model.name, opened };
      return { ...summary, ms: performance.now() - started };
    },
    presets: () => presetsOf(original()),
    whatIf: (choice) => whatIf(original(), choice, () => graphOf(choice, "zeros")),
    swapped: (choice) => {
      const { graph } = graphOf(choice, "random");
      return encodeModel(modelOf(graph, model().opened.model)) as Uint8Array<ArrayBuffer>;
    },
    deployed: (choice) => {
      const { swapped } = graphOf(choice, "random");
      const graph = deploy(swapped.graph, swapped.units);
      return encodeModel(modelOf(graph, model().opened.model)) as Uint8Array<ArrayBuffer>;
    },
    rewritten: () =>
      encodeModel(modelOf(deploy(original()), model().opened.model)) as Uint8Array<ArrayBuffer>,
    plan: (choice) => encodeSwapPlan(layersOf(choice), model().name),
  };
}

export const layersOf = ({ layers, settings }: Choice): LayerChoice =>
  new Map(layers.map((name) => [name, settings]));

function summaryOf(
  { model: file }: ModelFiles,
  { model, size: bytes, graph }: OpenedModel,
  size: number | undefined,
): Omit<ModelSummary, "ms"> {
  const table = layerTable(graph, { size, opset: model.graph.opsets.get("") ?? 0 });
  const { name, version } = model.producer;
  return {
    name: file.name,
    size: bytes,
    producer: [name, version].filter(Boolean).join(" "),
    inputs: graph.inputs.filter((i) => !graph.initializers.has(i.name)).map(summaryOfValue),
    outputs: graph.outputs.map(summaryOfValue),
    open: table.layers.some((l) => l.outputShape !== undefined && !isStatic(l.outputShape)),
    table,
  };
}

const summaryOfValue = ({ name, type }: ValueInfo): ValueSummary => ({
  name,
  type: type ? `${type.dtype} ${formatShape(type.shape)}` : "?",
});

function presetsOf(graph: Graph): Presets {
  const names = (layers: string) => {
    try {
      return planSwap(graph, { layers }).swapped.map((c) => c.name);
    } catch (error) {
      // Nothing can be swapped: the table says why.
      if (error instanceof ScconvError && error.code === "bad-input") return [];
      throw error;
    }
  };
  return { all: names("all"), second: names("second") };
}

function whatIf(
  original: Graph,
  choice: Choice,
  swapped: () => { swapped: ReturnType<typeof swap>; graph: Graph },
): WhatIf {
  const candidates = new Map(
    matchConvolutions(original, { ...scconvDefaults, ...choice.settings }).map((c) => [c.name, c]),
  );
  const chosen = new Set(choice.layers.filter((name) => candidates.get(name)?.swappable));
  const after = chosen.size > 0 ? swapped() : { swapped: nothing(original), graph: original };
  const rows = layerRows(original, after.graph, after.swapped);
  const macs = [original, after.graph].map((g) => costPerImage(g).macs);
  return {
    rows: rows.map((row) => {
      const candidate = candidates.get(row.name);
      const reason = candidate?.swappable ? (row.to ? row.reason : undefined) : candidate?.reason;
      const { reason: _, ...rest } = row;
      return {
        ...rest,
        ...(reason ? { reason } : {}),
        possible: candidate?.swappable ?? false,
        chosen: row.to !== undefined,
      };
    }),
    parameters: totalParameters(original, rows),
    macs: macs.every((m) => typeof m === "number") ? (macs as [number, number]) : undefined,
  };
}

const nothing = (graph: Graph): ReturnType<typeof swap> => ({ graph, units: [], swapped: [], kept: [] });
