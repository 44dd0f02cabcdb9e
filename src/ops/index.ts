import { type BuilderOptions, GraphBuilder } from "../graph/builder.js";
import { type Operator, type OperatorTable, operatorKey } from "../graph/operator.js";
import { activationOperators } from "./activation.js";
import { arithmeticOperators } from "./arithmetic.js";
import { batchNormalization } from "./batch-norm.js";
import { bitOperators } from "./bits.js";
import { constant, constantOfShape, range } from "./constant.js";
import { conv } from "./conv.js";
import { convTranspose } from "./conv-transpose.js";
import { compress, nonZero } from "./data-dependent.js";
import { dequantizeLinear } from "./dequantize.js";
import { expand, tile } from "./expanding.js";
import { gather } from "./gather.js";
import { gatherElements, scatterElements } from "./gather-elements.js";
import { gatherND, scatterND } from "./gather-nd.js";
import { concat, split } from "./joining.js";
import { lrn } from "./lrn.js";
import { gemm, matmul } from "./matmul.js";
import { groupNormalization, instanceNormalization, layerNormalization } from "./normalization.js";
import { pad } from "./pad.js";
import { depthToSpace, spaceToDepth } from "./pixel-shuffle.js";
import { averagePool, globalAveragePool, globalMaxPool, maxPool } from "./pool.js";
import { argMax, argMin, oneHot } from "./ranking.js";
import { reduceOperators } from "./reduce.js";
import { flatten, reshapeOperator, squeeze, transpose, unsqueeze } from "./reshaping.js";
import { resize } from "./resize.js";
import { clip, dropout, prelu, where } from "./selection.js";
import { castOperator, shape, size } from "./sizes.js";
import { slice } from "./slice.js";
import { smoothUnits } from "./smooth-units.js";
import { logSoftmax, softmax } from "./softmax.js";
import { topK } from "./top-k.js";
import { cumProd, cumSum, eyeLike, reverseSequence, trilu } from "./triangular.js";
import { trigonometry } from "./trigonometry.js";

/** The operator table: one line for each operator or family. */
const all: readonly Operator[] = [
  ...activationOperators,
  ...smoothUnits,
  ...trigonometry,
  ...arithmeticOperators,
  ...bitOperators,
  ...reduceOperators,
  constant,
  constantOfShape,
  range,
  conv,
  convTranspose,
  matmul,
  gemm,
  batchNormalization,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  lrn,
  softmax,
  logSoftmax,
  averagePool,
  maxPool,
  globalAveragePool,
  globalMaxPool,
  reshapeOperator,
  flatten,
  transpose,
  squeeze,
  unsqueeze,
  castOperator,
  shape,
  size,
  concat,
  split,
  slice,
  pad,
  expand,
  tile,
  gather,
  gatherElements,
  gatherND,
  scatterElements,
  scatterND,
  topK,
  nonZero,
  compress,
  trilu,
  eyeLike,
  cumSum,
  cumProd,
  reverseSequence,
  where,
  clip,
  prelu,
  dropout,
  resize,
  depthToSpace,
  spaceToDepth,
  argMax,
  argMin,
  oneHot,
  dequantizeLinear,
];

export const operators: OperatorTable = new Map(all.map((o) => [operatorKey(o.type, o.domain), o]));

/** A builder over the whole operator table. */
export const graphBuilder = (options?: BuilderOptions): GraphBuilder => new GraphBuilder(operators, options);
