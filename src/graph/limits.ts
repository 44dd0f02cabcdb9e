/**
 * What a file from a stranger may ask of us. Each is far above any network that is known to us and far below what a
 * computer of today has to give; all are checked before memory is taken or the engine sees a byte.
 */
export const limits = {
  /** Bytes of one .onnx file: protobuf's own bound. Larger models keep their weights in files beside it. */
  fileBytes: 2 ** 31 - 1,
  /** Messages inside messages; what protobuf's C++ reader, and so the engine, takes. Sub-graphs are three levels each. */
  depth: 100,
  /** Messages of all kinds (nodes, attributes, tensors, dimensions …), each of which becomes an object. */
  messages: 2 ** 22,
  /** Nodes, those of sub-graphs and functions included. */
  nodes: 2 ** 20,
  /** Bytes of a name. Documentation and metadata may be longer. */
  nameBytes: 2 ** 16,
  /** Whole numbers in typed fields (int32_data, ints, dims …): one byte in the file, up to 32 in memory. */
  integers: 2 ** 24,
  /** Texts in repeated fields (inputs, outputs, strings …). */
  texts: 2 ** 22,
  /** Sizes of one shape. */
  rank: 64,
  /** Bytes of one value, where its size is known before anything runs. */
  valueBytes: 2 ** 33,
  /** Bytes of what an engine would compute from constants alone before the first run, over what the constants themselves take. */
  constantBytes: 2 ** 30,
} as const;
