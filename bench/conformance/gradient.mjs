// One case backwards: the derivative by our rules against central differences, both in float64 reference arithmetic.

import {
  decodeModel,
  differentiate,
  foldConstants,
  graphBuilder,
  inferShapes,
  Random,
  Tensor,
  upgrade,
} from "../../dist/index.js";
import { evaluateGraph } from "../../dist/ops/evaluate.js";
import { readCase } from "./cases.mjs";
import { doubleGraph, wide } from "./double.mjs";
import { feedsOf, withConstants } from "./forward.mjs";
import { strangers } from "./ours.mjs";

const STEP = 1e-5;
const TOLERANCE = 1e-6;
const MOST = 500_000;
const isFloat = (t) => /float/.test(t.dtype);

/**
 * For each floating point input: `passed`, `moved` (passed at a point beside the case's own, which lies on a corner),
 * `flat` (nothing flows, and differences say so too), `none: why`, or `failed: …`.
 */
export async function checkGradient(root, c) {
  if (c.kind === "light" || c.sets.some((s) => [...s.inputs, ...s.outputs].includes(null))) return {};
  // What cannot be read is told forwards.
  const files = await readCase(root, c).catch(() => undefined);
  if (!files) return {};
  const { bytes, sets } = files;
  const { inputs, outputs } = sets[0] ?? {};
  if (!inputs?.some((t) => t && isFloat(t)) || !outputs?.some((t) => t && isFloat(t))) return {};
  const decoded = decodeModel(bytes).graph;
  if (strangers(decoded).length > 0) return {};
  if (inputs.some((t) => t?.size > MOST))
    return { 0: `none: more than ${MOST} elements, too slow in reference arithmetic` };
  let graph;
  try {
    graph = doubleGraph(upgrade(decoded));
  } catch {
    return {};
  }
  const feeds = new Map([...feedsOf(graph, sets[0])].map(([name, t]) => [name, finite(wide(t))]));
  const results = {};
  graph.inputs.forEach(({ name }, i) => {
    if (feeds.has(name) && isFloat(feeds.get(name))) results[i] = derivative(graph, feeds, name);
  });
  return results;
}

/** Cases about infinities have no derivative there: such elements are set to other values. */
function finite(t) {
  if (!isFloat(t)) return t;
  const random = new Random(3);
  return map(t, (v) => (Number.isFinite(v) && Math.abs(v) < 1e30 ? v : random.uniform(-1, 1)));
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
    // All others are constants: settings come as inputs, too, and rules may need to know them.
    const constants = new Map([...feeds].filter(([n]) => n !== name));
    const given = bindTo(withConstants(graph, constants), feeds);
    program = backward(foldConstants(inferShapes(given)), new Map([[name, feeds.get(name)]]), name);
  } catch (error) {
    if (error.code === "not-differentiable") return `none: ${error.facts.got ?? error.message}`;
    return `failed: ${error.message}`;
  }
  try {
    const wrong = compare(program, name, feeds.get(name));
    if (!wrong) return program.gradient ? "passed" : "flat";
    for (const at of beside(feeds.get(name))) {
      if (!compare(program, name, at)) return program.gradient ? "moved" : "flat";
    }
    const inside = evaluateGraph(program.forward, new Map([[name, feeds.get(name)]]));
    if ([...inside.values()].some((t) => isFloat(t) && Array.from(t.numbers()).some(Number.isNaN))) {
      return "none: not a number on the way (a softmax over nothing, say), so 0 · NaN backwards";
    }
    return `failed: ${wrong}`;
  } catch (error) {
    return `failed: ${error.message}`;
  }
}

/** Points beside a corner, each farther away; and positive ones, where the function is not defined elsewhere. */
function* beside(t) {
  for (const [i, distance] of [1e-3, 1e-3, 1e-3, 1e-2, 1e-2, 1e-1, 1e-1, 0.5].entries()) {
    for (const sign of [(v) => v, Math.abs]) {
      const random = new Random(5, i);
      yield map(t, (v) => sign(v * (1 + distance * random.normal()) + distance * random.normal()));
    }
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
    const r = map(y, (v) => (Number.isFinite(v) ? random.uniform(-1, 1) : 0));
    weights.set(o.name, r);
    seeds.set(b.value(o.name), b.constant(r, `seed${i}`));
  }
  const [gradient] = differentiate(b, undefined, [b.value(name)], { seeds });
  return { forward: graph, graph: b.build(), gradient: gradient?.name, weights };
}

function compare({ forward, graph, gradient, weights }, name, at) {
  const g = gradient
    ? evaluateGraph(graph, new Map([[name, at]])).get(gradient)
    : Tensor.zeros("float64", at.dims);
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
    const values = evaluateGraph(forward, new Map([[name, x]]));
    let sum = 0;
    let size = 0;
    for (const [o, r] of weights) {
      const [y, rs] = [values.get(o).numbers(), r.numbers()];
      for (let k = 0; k < rs.length; k++) {
        if (rs[k] === 0) continue;
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
