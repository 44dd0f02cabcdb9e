/** The door for browsers: ONNX Runtime as WebAssembly and on WebGPU, files and images, beside everything of the runtime-free door. */

export { type DecodeOptions, decodeImage } from "./host/web/data/decode-image.js";
export {
  type FilesDataSet,
  type OpenDataFilesOptions,
  openDataFiles,
} from "./host/web/data/open-data-files.js";
export { droppedFiles, type PlacedFile } from "./host/web/data/placed-file.js";
export { type OpenedModel, type OpenModelOptions, openModelFile } from "./host/web/open-model-file.js";
export { type WebEngine, type WebEngineOptions, webEngine } from "./host/web/ort.js";
export type { WebProvider } from "./host/web/start-runtime.js";
export * from "./index.js";
export type { NodePlacement, PlacedNode } from "./runtime/node-placement.js";
