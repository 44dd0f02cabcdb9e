import { type BuilderOptions, GraphBuilder } from "../graph/builder.js";
import { type Operator, type OperatorTable, operatorKey } from "../graph/operator.js";
import { activationOperators } from "./activation.js";
import { arithmeticOperators } from "./arithmetic.js";
import { batchNormalization } from "./batch-norm.js";
import { bitOperators } from "./bits.js";
import { maxRoiPool, nonMaxSuppression } from "./boxes.js";
import { constant, constantOfShape, range } from "./constant.js";
import { ifOperator, loop, scan } from "./control-flow.js";
import { conv } from "./conv.js";
import { convTranspose } from "./conv-transpose.js";
import { compress, nonZero } from "./data-dependent.js";
import { deformConv } from "./deform-conv.js";
import { einsum } from "./einsum.js";
import { expand, tile } from "./expanding.js";
import { gather } from "./gather.js";
import { gatherElements, scatterElements } from "./gather-elements.js";
import { gatherND, scatterND } from "./gather-nd.js";
import { affineGrid, gridSample } from "./grid-sample.js";
import { integerProducts } from "./integer-products.js";
import { concat, split } from "./joining.js";
import { negativeLogLikelihoodLoss, softmaxCrossEntropyLoss } from "./losses.js";
import { globalLpPool, lpPool } from "./lp-pool.js";
import { lrn } from "./lrn.js";
import { gemm, matmul } from "./matmul.js";
import { maxPool, maxUnpool } from "./max-pool.js";
import { groupNormalization, instanceNormalization, layerNormalization } from "./normalization.js";
import { pad } from "./pad.js";
import { centerCropPad, col2im } from "./patches.js";
import { depthToSpace, spaceToDepth } from "./pixel-shuffle.js";
import { pointwiseBatchNorm } from "./pointwise-batch-norm.js";
import { averagePool, globalAveragePool, globalMaxPool } from "./pool.js";
import { dequantizeLinear, dynamicQuantizeLinear, quantizeLinear } from "./quantize.js";
import { argMax, argMin, oneHot } from "./ranking.js";
import { reduceOperators } from "./reduce.js";
import { flatten, reshapeOperator, squeeze, transpose, unsqueeze } from "./reshaping.js";
import { resize } from "./resize.js";
import { roiAlign } from "./roi-align.js";
import { clip, dropout, prelu, where } from "./selection.js";
import { castOperator, shape, size } from "./sizes.js";
import { slice } from "./slice.js";
import { smoothUnits } from "./smooth-units.js";
import { hardmax, logSoftmax, softmax } from "./softmax.js";
import { topK } from "./top-k.js";
import { cumProd, cumSum, eyeLike, reverseSequence, trilu } from "./triangular.js";
import { trigonometry } from "./trigonometry.js";
import { lpNormalization, meanVarianceNormalization, rmsNormalization } from "./vector-norms.js";

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
  deformConv,
  matmul,
  gemm,
  einsum,
  batchNormalization,
  pointwiseBatchNorm,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  lrn,
  lpNormalization,
  meanVarianceNormalization,
  rmsNormalization,
  negativeLogLikelihoodLoss,
  softmaxCrossEntropyLoss,
  softmax,
  logSoftmax,
  hardmax,
  averagePool,
  maxPool,
  maxUnpool,
  lpPool,
  globalLpPool,
  roiAlign,
  maxRoiPool,
  nonMaxSuppression,
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
  gridSample,
  affineGrid,
  col2im,
  centerCropPad,
  depthToSpace,
  spaceToDepth,
  argMax,
  argMin,
  oneHot,
  quantizeLinear,
  dequantizeLinear,
  dynamicQuantizeLinear,
  ...integerProducts,
  ifOperator,
  loop,
  scan,
];

export const operators: OperatorTable = new Map(all.map((o) => [operatorKey(o.type, o.domain), o]));

/** Operators by the names that they had before. */
export const formerNames: ReadonlyMap<string, NonNullable<Operator["formerly"]>[string]> = new Map(
  all.flatMap((o) => Object.entries(o.formerly ?? {})),
);

/** A builder over the whole operator table. */
export const graphBuilder = (options?: BuilderOptions): GraphBuilder => new GraphBuilder(operators, options);
