/** The door for browsers: ONNX Runtime as WebAssembly and on WebGPU, beside everything of the runtime-free door. */

export { type OpenedModel, type OpenModelOptions, openModelFile } from "./host/web/open-model-file.js";
export { type WebEngine, type WebEngineOptions, webEngine } from "./host/web/ort.js";
export type { WebProvider } from "./host/web/start-runtime.js";
export * from "./index.js";
