export { type DecodeOptions, decodeModel } from "./decode.js";
export { type EncodeOptions, encodeModel, encodePieces } from "./encode.js";
