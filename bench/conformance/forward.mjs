// One case forwards: decode → verify → shapes → encode → the engine, and the reference evaluator.

import { opsetOf } from "../../dist/graph/ir.js";
import {
  decodeModel,
  encodeModel,
  foldConstants,
  inferShapes,
  operators,
  upgrade,
  verify,
} from "../../dist/index.js";
import { evaluateGraph } from "../../dist/ops/evaluate.js";
import { whyUnsupported } from "../../dist/ops/unsupported.js";
import { NEWEST_EXPORT, withOpset } from "../../dist/ops/with-opset.js";
import { difference, readCase } from "./cases.mjs";
import { isOurs } from "./ours.mjs";

/** Inputs that are fed: initializers that are listed among the inputs (before IR 4) are not. */
export const fedInputs = (graph) => graph.inputs.filter((i) => !graph.initializers.has(i.name));

/** Feeds by name; an input without a tensor is left out. */
export const feedsOf = (graph, set) =>
  new Map(fedInputs(graph).flatMap((info, i) => (set.inputs[i] ? [[info.name, set.inputs[i]]] : [])));

/** The graph without what it declares of its outputs: the rules have to find it. */
const undeclared = (graph) => ({
  ...graph,
  types: new Map(),
  outputs: graph.outputs.map((o) => ({ ...o, type: undefined })),
});

/** The graph with those inputs made constants. */
export function withConstants(graph, constants) {
  return {
    ...graph,
    inputs: graph.inputs.filter((i) => !constants.has(i.name)),
    initializers: new Map([...graph.initializers, ...constants]),
  };
}

/** The newest version of the file format that the engine takes. */
const NEWEST_IR = 13;

/**
 * The steps of a case: each `passed`, `failed: …`, or `skipped: …`. `open` are outputs of which a size is left open although
 * all that is not floating point is known.
 */
export async function checkForward(root, c, engine) {
  const steps = { open: [] };
  const step = async (name, work) => {
    try {
      steps[name] = (await work()) ?? "passed";
    } catch (error) {
      steps[name] = `failed: ${error.message}`;
    }
    return steps[name] === "passed";
  };
  const strange = c.operators.filter((key) => !isOurs(key));
  if (strange.length > 0) {
    return {
      ...steps,
      read: `skipped: without rules here (${whyUnsupported(strange[0])}): ${strange.join(", ")}`,
    };
  }
  if (c.sets.some((s) => s.outputs.includes(null)))
    return { ...steps, read: "skipped: a result that is no tensor" };

  let model;
  let sets;
  let graph;
  const read = await step("read", async () => {
    const files = await readCase(root, c);
    sets = files.sets;
    model = decodeModel(files.bytes);
    graph = upgrade(model.graph);
    verify(graph, operators);
    const bytes = encodeModel(model);
    if (Buffer.compare(encodeModel(decodeModel(bytes)), bytes) !== 0)
      return "failed: reading back what was written";
    return undefined;
  });
  if (!read) return steps;

  await step("shapes", () => checkShapes(graph, sets, steps));
  await step("reference", () => checkReference(graph, sets, c));
  const written = (g, atLeast = 0) => {
    const irVersion = Math.min(Math.max(model.irVersion, atLeast), NEWEST_IR);
    return encodeModel({ ...model, graph: g, irVersion });
  };
  // What is newer than the engine is written in the newest set that it takes.
  const old = opsetOf(model.graph) > NEWEST_EXPORT;
  await step("engine", () => {
    const g = old ? withOpset(model.graph, NEWEST_EXPORT) : model.graph;
    return checkEngine(written(g), graph, sets, c, engine);
  });
  if (graph !== model.graph)
    await step("upgraded", () => checkEngine(written(graph, 8), graph, sets, c, engine));
  return steps;
}

/** First as declared: nothing may be wrong. Then with integers known: everything should be told. */
function checkShapes(graph, sets, steps) {
  const bare = undeclared(graph);
  for (const set of sets) {
    const feeds = feedsOf(graph, set);
    const known = new Map([...feeds].filter(([, t]) => !/float/.test(t.dtype)));
    for (const g of [bare, withConstants(bare, known)]) {
      const inferred = inferShapes(g);
      for (const [i, want] of set.outputs.entries()) {
        if (!want) continue;
        const { name, type } = inferred.outputs[i];
        if (!type) return `failed: nothing is known of output ${name}`;
        const wrong =
          type.dtype !== want.dtype ||
          (type.shape &&
            (type.shape.length !== want.dims.length ||
              type.shape.some((d, k) => typeof d === "number" && d !== want.dims[k])));
        if (wrong) {
          return `failed: output ${name} is told to be ${type.dtype}[${type.shape}], expected ${want.dtype}[${want.dims}]`;
        }
        const open = !type.shape?.every((d) => typeof d === "number");
        if (open && g !== bare && !steps.open.includes(name)) steps.open.push(name);
      }
    }
  }
  return undefined;
}

/** The reference evaluator, and constant folding where all inputs are made constant. */
function checkReference(graph, sets, c) {
  if (c.kind === "light") return "skipped: a whole network is too slow in reference arithmetic";
  for (const set of sets) {
    const feeds = feedsOf(graph, set);
    const values = evaluateGraph(graph, feeds);
    for (const [i, want] of set.outputs.entries()) {
      const wrong = want && difference(values.get(graph.outputs[i].name), want, c);
      if (wrong) return `failed: output ${i} ${wrong}`;
    }
    const wrong = checkFolding(withConstants(graph, feeds), values);
    if (wrong) return wrong;
  }
  return undefined;
}

/** Outputs keep their nodes when constants are folded, so each gets an Identity behind it. */
function checkFolding(graph, values) {
  const ends = graph.outputs.map((o) => ({ ...o, name: `${o.name}#` }));
  const identities = graph.outputs.map((o, i) => ({
    ...{ op: "Identity", domain: "", name: `end#${i}`, attributes: new Map() },
    ...{ inputs: [o.name], outputs: [ends[i].name] },
  }));
  const folded = foldConstants({
    ...graph,
    nodes: [...graph.nodes, ...identities],
    outputs: ends,
    inputs: graph.inputs,
  });
  for (const { name } of graph.outputs) {
    const constant = folded.initializers.get(name);
    const wrong = constant && difference(constant, values.get(name), { rtol: 1e-6, atol: 1e-12 });
    if (wrong) return `failed: folded to a constant, output ${name} ${wrong}`;
  }
  return undefined;
}

async function checkEngine(bytes, graph, sets, c, engine) {
  let session;
  try {
    session = await engine.open(bytes);
    for (const set of sets) {
      const feeds = feedsOf(graph, set);
      const results = await session.run(feeds);
      for (const [i, want] of set.outputs.entries()) {
        const wrong = want && difference(results.get(graph.outputs[i].name), want, c);
        if (wrong) return `failed: output ${i} ${wrong}`;
      }
    }
  } finally {
    await session?.release();
  }
  return undefined;
}
