// Which initializer of a file is which parameter of PyTorch's. Names do not tell (exporters give their own, and fold batch
// norms), values do: they are random.

const CLOSE = 1e-4;

/** The matrix's element i in row-major order of its transpose. */
const transposed =
  ([rows, columns]) =>
  (i) =>
    (i % rows) * columns + Math.floor(i / rows);

function matches(tensor, form, print) {
  const numbers = tensor.numbers();
  const same = (at) => {
    for (let i = 0; i < print.length; i++) {
      const [a, b] = [numbers[at(i)], print[i]];
      if (!(Math.abs(a - b) <= CLOSE * (Math.abs(b) + 1e-3))) return false;
    }
    return true;
  };
  const squeezed = (dims) => dims.filter((d) => d !== 1).join();
  if (squeezed(tensor.dims) === squeezed(form.dims) && same((i) => i)) return { transposed: false };
  const turned = tensor.dims.length === 2 && form.dims.length === 2;
  if (turned && tensor.dims.join() === form.dims.toReversed().join() && same(transposed(tensor.dims)))
    return { transposed: true };
  return undefined;
}

/**
 * For each floating point initializer the form of a weight that it is: itself, or with a batch norm folded in. `lacking` are
 * parameters of PyTorch's that the file does not have in any form.
 */
export function findWeights(graph, network, reference) {
  const bySize = new Map();
  for (const [name, tensor] of graph.initializers) {
    if (tensor.dtype !== "float32") continue;
    bySize.set(tensor.size, [...(bySize.get(tensor.size) ?? []), [name, tensor]]);
  }
  const found = new Map();
  for (const form of network.forms) {
    const print = reference.get(`value.${form.name}`).numbers();
    const size = form.dims.reduce((a, d) => a * d, 1);
    for (const [name, tensor] of bySize.get(size) ?? []) {
      const match = !found.has(name) && matches(tensor, form, print);
      if (match) found.set(name, { form, ...match });
    }
  }
  const covered = new Set([...found.values()].flatMap((f) => f.form.covers));
  const lacking = Object.keys(network.parameters).filter((p) => !covered.has(p));
  return { found, lacking };
}

/** ∂L/∂w as PyTorch has it, in the layout of the file's initializer. */
export function wantedGradient({ form, transposed: turned }, reference) {
  const gradient = reference.get(`grad.${form.gradient}`).numbers();
  if (turned) {
    const at = transposed(form.dims);
    return Float64Array.from(gradient, (_, i) => gradient[at(i)]);
  }
  if (!form.scaled) return gradient;
  const scale = reference.get(`scale.${form.name}`).numbers();
  const row = gradient.length / scale.length;
  return Float64Array.from(gradient, (g, i) => g / scale[Math.floor(i / row)]);
}
