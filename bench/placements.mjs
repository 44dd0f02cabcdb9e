// Which convolutions did a paper replace? Counts a network of the zoo with a unit in all combinations of kinds of convolution,
// stages and filters, and prints those that come nearest to given figures. Costs of single replacements are added up, so that
// some thousand placements take seconds. `npm run build` first:
//   node bench/placements.mjs resnet50-cifar spconv '{"alpha":0.5}' 16.14 972 [classes]      (parameters and MACs in millions)
const { findArchitecture } = await import("../dist/zoo/index.js");
const { convUnit, standardUnit } = await import("../dist/nn/units.js");
const { countNetwork } = await import("../dist/zoo/paper/count.js");

const [name, unitName, settings, parameters, macs, classes] = process.argv.slice(2);
const architecture = findArchitecture(name);
const options = {
  ...{ size: architecture.size, classes: Number(classes ?? architecture.classes) },
  ...{ where: "every", init: "zeros" },
};
const unit = convUnit(unitName, JSON.parse(settings));
const build = (replaces) =>
  countNetwork(
    architecture.build({
      ...options,
      unit: (x, out, label, random, shape) =>
        (replaces(x, out, label, shape) ? unit : standardUnit)(x, out, label, random, shape),
    }),
  );

const convolutions = [];
const base = build((x, out, label, { kernel, stride }) => {
  const place = x.builder.scoped(label);
  const kind = /downsample|Shortcut/.test(place)
    ? "shortcut"
    : /transition/.test(place)
      ? "transition"
      : label;
  const stage = /(?:layer|block|denseblock)(\d)/.exec(place)?.[1] ?? "0";
  convolutions.push({
    place,
    kind,
    stage,
    stride,
    widths: [x.shape[1], out],
    key: [x.shape.slice(1), out, kernel, stride].join(),
  });
  return false;
});
// What one replacement changes depends on its shape alone.
const changes = new Map();
for (const { place, key } of convolutions) {
  if (changes.has(key)) continue;
  try {
    const c = build((x, _, label) => x.builder.scoped(label) === place);
    changes.set(
      key,
      ["parameters", "products", "normed"].map((k) => c[k] - base[k]),
    );
  } catch {
    changes.set(key, undefined);
  }
}

const subsets = (all) =>
  Array.from({ length: 2 ** all.length - 1 }, (_, m) => all.filter((_, i) => ((m + 1) >> i) & 1));
const filters = {
  "": () => true,
  "stride 1": (c) => c.stride === 1,
  "equal widths": (c) => c.widths[0] === c.widths[1],
  "not the first block": (c) => !/\.0\./.test(c.place),
};
const found = [];
for (const kinds of subsets([...new Set(convolutions.map((c) => c.kind))])) {
  for (const stages of subsets([...new Set(convolutions.map((c) => c.stage))])) {
    for (const [filter, holds] of Object.entries(filters)) {
      const some = convolutions.filter((c) => kinds.includes(c.kind) && stages.includes(c.stage) && holds(c));
      const [p, m, n] = some.reduce(
        (sum, c) => sum.map((v, i) => v + (changes.get(c.key)?.[i] ?? 0)),
        [base.parameters, base.products, base.normed],
      );
      for (const norms of [0, 1, 2]) {
        const off = [p / 1e6 / Number(parameters) - 1, (m + norms * n) / 1e6 / Number(macs) - 1];
        found.push({
          off,
          text: `${kinds.join(" ")} in stages ${stages.join("")} ${filter} norms ×${norms}`,
          p,
          m: m + norms * n,
        });
      }
    }
  }
}
found.sort((a, b) => Math.hypot(...a.off) - Math.hypot(...b.off));
for (const { off, text, p, m } of found.slice(0, 10)) {
  const [a, b] = off.map((v) => `${(100 * v).toFixed(2)} %`);
  console.log(`${(p / 1e6).toFixed(3)} M (${a})  ${(m / 1e6).toFixed(1)} M (${b})  ${text}`);
}
