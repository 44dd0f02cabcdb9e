/** The door for Node: ONNX Runtime, files, data sets and timing, beside everything of the runtime-free door. */

export { type BenchOptions, type BenchResult, benchModels } from "./host/node/bench.js";
export { type OpenDataOptions, openData } from "./host/node/data/open-data.js";
export { checkWritable, writeFileWhole } from "./host/node/files.js";
export { type Machine, machine } from "./host/node/machine.js";
export { type ReadModel, readModel, writeModel } from "./host/node/models.js";
export { type NodeEngineOptions, type NodeProvider, nodeEngine } from "./host/node/ort.js";
export { readWeights } from "./host/node/weights.js";
export * from "./index.js";
