// One case backwards: the derivative by our rules against central differences, both in float64 reference arithmetic.

import { operatorKey } from "../../dist/graph/operator.js";
import {
  decodeModel,
  differentiate,
  foldConstants,
  graphBuilder,
  inferShapes,
  operators,
  Random,
  Tensor,
  upgrade,
} from "../../dist/index.js";
import { evaluateGraph } from "../../dist/ops/evaluate.js";
import { readCase } from "./cases.mjs";
import { doubleGraph, wide } from "./double.mjs";
import { feedsOf, withConstants } from "./forward.mjs";

const STEP = 1e-5;
const TOLERANCE = 1e-6;
const isFloat = (t) => /float/.test(t.dtype);

/**
 * For each floating point input: `passed`, `moved` (passed at a point 1e-3 beside the case's own, which lies on a corner),
 * `flat` (nothing flows, and differences say so too), `none: why`, or `failed: …`.
 */
export async function checkGradient(root, c) {
  if (c.kind === "light" || c.sets.some((s) => [...s.inputs, ...s.outputs].includes(null))) return {};
  const { bytes, sets } = await readCase(root, c);
  const { inputs, outputs } = sets[0] ?? {};
  if (!inputs?.some((t) => t && isFloat(t)) || !outputs?.some((t) => t && isFloat(t))) return {};
  const decoded = decodeModel(bytes).graph;
  const unknown = decoded.nodes.some(
    (n) => !operators.has(operatorKey(n.op, n.domain)) && n.op !== "Upsample" && n.op !== "Scatter",
  );
  if (unknown) return {};
  const graph = doubleGraph(upgrade(decoded));
  const all = new Map([...feedsOf(graph, sets[0])].map(([name, t]) => [name, wide(t)]));
  const fixed = new Map([...all].filter(([, t]) => !isFloat(t)));
  const feeds = new Map([...all].filter(([, t]) => isFloat(t)));
  const bound = foldConstants(inferShapes(bindTo(withConstants(graph, fixed), feeds)));
  const results = {};
  const names = graph.inputs.map((i) => i.name);
  for (const name of feeds.keys()) results[names.indexOf(name)] = derivative(bound, feeds, name);
  return results;
}

/** Inputs have the sizes that they are fed with. */
const bindTo = (graph, feeds) => ({
  ...graph,
  inputs: graph.inputs.map((i) =>
    feeds.has(i.name) ? { ...i, type: { dtype: "float64", shape: feeds.get(i.name).dims } } : i,
  ),
});

function derivative(graph, feeds, name) {
  let program;
  try {
    program = backward(graph, feeds, name);
  } catch (error) {
    if (error.code === "not-differentiable") return `none: ${error.facts.got ?? error.message}`;
    return `failed: ${error.message}`;
  }
  try {
    const wrong = compare(graph, program, feeds, name);
    if (!wrong) return program.gradient ? "passed" : "flat";
    const random = new Random(5);
    const beside = new Map(
      [...feeds].map(([n, t]) => [
        n,
        map(t, (v) => v * (1 + 1e-3 * random.normal()) + 1e-3 * random.normal()),
      ]),
    );
    return compare(graph, program, beside, name) ? `failed: ${wrong}` : program.gradient ? "moved" : "flat";
  } catch (error) {
    return `failed: ${error.message}`;
  }
}

const map = (t, f) => Tensor.from("float64", t.dims, Float64Array.from(t.numbers(), f));

/** The graph with the gradient of Σ y ⊙ r, r being random weights of the floating point outputs. */
function backward(graph, feeds, name) {
  const b = graphBuilder({ from: graph });
  const values = evaluateGraph(graph, feeds);
  const random = new Random(7);
  const weights = new Map();
  const seeds = new Map();
  for (const [i, o] of graph.outputs.entries()) {
    const y = values.get(o.name);
    if (!y || !isFloat(y) || weights.has(o.name)) continue;
    const r = map(y, () => random.uniform(-1, 1));
    weights.set(o.name, r);
    seeds.set(b.value(o.name), b.constant(r, `seed${i}`));
  }
  const [gradient] = differentiate(b, undefined, [b.value(name)], { seeds });
  return { graph: b.build(), gradient: gradient?.name, weights };
}

function compare(graph, { graph: whole, gradient, weights }, feeds, name) {
  const at = feeds.get(name);
  const g = gradient ? evaluateGraph(whole, feeds).get(gradient) : Tensor.zeros("float64", at.dims);
  if (g.dims.join() !== at.dims.join()) return `the gradient has shape [${g.dims}], expected [${at.dims}]`;
  const random = new Random(11);
  const direction = Float64Array.from({ length: at.size }, () => random.uniform(-1, 1));
  const loss = (sign) => {
    const xs = at.numbers();
    const x = Tensor.from(
      "float64",
      at.dims,
      direction.map((d, k) => xs[k] + sign * STEP * d),
    );
    const values = evaluateGraph(graph, new Map(feeds).set(name, x));
    let sum = 0;
    let size = 0;
    for (const [o, r] of weights) {
      const [y, rs] = [values.get(o).numbers(), r.numbers()];
      for (let k = 0; k < rs.length; k++) {
        sum += y[k] * rs[k];
        size += Math.abs(y[k] * rs[k]);
      }
    }
    return { sum, size };
  };
  const [above, below] = [loss(1), loss(-1)];
  const numeric = (above.sum - below.sum) / (2 * STEP);
  let exact = 0;
  let scale = 1e-3;
  const gs = g.numbers();
  for (let k = 0; k < gs.length; k++) {
    exact += gs[k] * direction[k];
    scale += Math.abs(gs[k] * direction[k]);
  }
  // What a difference of two large sums rounds away is no error of the rule's.
  const noise = (16 * Number.EPSILON * above.size) / STEP;
  const error = Math.abs(exact - numeric);
  return error <= TOLERANCE * scale + noise ? undefined : `${exact} by rule, ${numeric} by differences`;
}
