/**
 * The runtime-free door: graphs, operators, derivatives, layers, surgery and training. Nothing here touches a file, a
 * thread or an engine; `scconv/node` and `scconv/web` bring those.
 */

export { type Dim, formatShape, isStatic, type Shape } from "./base/dims.js";
export type { DType, TypedArray } from "./base/dtype.js";
export { type ErrorCode, type ErrorFacts, printable, ScconvError } from "./base/errors.js";
export {
  formatBytes,
  formatChange,
  formatCount,
  formatDim,
  formatMs,
  formatSeconds,
  formatShare,
  formatSigned,
} from "./base/format.js";
export { Random } from "./base/random.js";
export { median, ratiosToFirst, type Spread, spreadOf } from "./base/spread.js";
export { Tensor } from "./base/tensor.js";
export type { Augment, Batch, BatchOptions, DataSet, DecodedImage, Normalize } from "./data/data-set.js";
export { imageTensor } from "./data/image-tensor.js";
export { memoryDataSet } from "./data/memory-data-set.js";
export { normalizations, parseNormalize } from "./data/normalize.js";
export { counterparts, type FeatureLayer, featureLayers } from "./features/layers.js";
export type { Maps } from "./features/maps.js";
export { type LayerFeatures, type ObserveOptions, observeFeatures } from "./features/observe.js";
export type { Redundancy } from "./features/redundancy.js";
export type { UnitFigures } from "./features/unit-probes.js";
export { differentiate } from "./grad/differentiate.js";
export { GraphBuilder, Value } from "./graph/builder.js";
export { decodeModel, encodeModel } from "./graph/codec.js";
export type { Attribute, Graph, Model, Node, TensorType, ValueInfo } from "./graph/ir.js";
export { modelOf } from "./graph/model.js";
export { printGraph } from "./graph/print.js";
export { verify } from "./graph/verify.js";
export { type CruSettings, cru, cruDefaults, cruParameters } from "./nn/cru.js";
export { batchNorm, conv, linear } from "./nn/layers.js";
export { type Octaves, octConv } from "./nn/octconv.js";
export { type ScconvSettings, scconv, scconvDefaults, scconvParameters } from "./nn/scconv.js";
export { type SruSettings, sru, sruDefaults, sruParameters } from "./nn/sru.js";
export {
  type ConvUnit,
  type ConvUnitName,
  convUnit,
  convUnitNames,
  convUnits,
  type SlotShape,
  type UnitSettings,
} from "./nn/units.js";
export { bindSizes } from "./ops/bind.js";
export { costOf, type GraphCost, type NodeCost } from "./ops/cost.js";
export { foldConstants } from "./ops/fold.js";
export { freeBatch } from "./ops/free-batch.js";
export { graphBuilder, operators } from "./ops/index.js";
export { inferShapes } from "./ops/infer.js";
export { lower } from "./ops/lower.js";
export { costPerImage, perImage } from "./ops/per-image.js";
export { type UnsupportedOperator, unsupportedOperators } from "./ops/unsupported.js";
export { upgrade } from "./ops/upgrade.js";
export { NEWEST_EXPORT, OLDEST_EXPORT, withOpset } from "./ops/with-opset.js";
export { deploy, findUnits, foldBatchNorm, fuseScconv } from "./optimise/index.js";
export { type ComparedCells, comparedCells } from "./report/compared-cells.js";
export {
  type ComparedLook,
  type ComparedMaps,
  type ComparedReport,
  comparedPage,
} from "./report/compared-page.js";
export { type Examined, type ExaminedSwap, examinedPage } from "./report/examined-page.js";
export { reportPage } from "./report/page.js";
export type { ExaminedTimes } from "./report/times-section.js";
export type { Progress, ProgressPhase } from "./runtime/progress.js";
export { randomFeeds } from "./runtime/random-feeds.js";
export { decodeSafetensors, encodeSafetensors } from "./runtime/safetensors.js";
export type { Engine, NamedTensors, Session, SessionOptions } from "./runtime/session.js";
export { type CalibrateOptions, type Calibration, calibrate } from "./surgery/calibrate.js";
export {
  type ComparedLayer,
  type ComparedModels,
  compareLayers,
  type LayerSide,
} from "./surgery/compare-layers.js";
export { type DistillSettings, distillation } from "./surgery/distill.js";
export { layerRows, totalParameters } from "./surgery/layer-rows.js";
export { type LayerTable, layerTable, type TableRow } from "./surgery/layer-table.js";
export { type Candidate, matchConvolutions } from "./surgery/match.js";
export { prepare } from "./surgery/prepare.js";
export type { LayerRow, SlimReport } from "./surgery/report.js";
export { type SlimSettings, slimDefaults, slimRecipe, slimUnit } from "./surgery/slim-settings.js";
export {
  type Calibrated,
  calibrateUnits,
  fineTune,
  pupils,
  type Slimming,
  withErrors,
} from "./surgery/slimming.js";
export { type Plan, planSwap, type SwapOptions, type Swapped, swap } from "./surgery/swap.js";
export { decodeSwapPlan, encodeSwapPlan, type LayerChoice } from "./surgery/swap-plan.js";
export { accuracyOf } from "./train/accuracy.js";
export { decodeCheckpoint, type EpochMetrics, type RunStore } from "./train/checkpoint.js";
export { type Classifier, classifierOf, openBatch } from "./train/classifier.js";
export { type Accuracy, checkLabels, evaluate, evaluationGraph } from "./train/evaluate.js";
export { type FitOptions, type FitResult, fit, type StepMetrics } from "./train/fit.js";
export { cropFor, imageMetadata } from "./train/model-images.js";
export { adamw, type Optimizer, sgd } from "./train/optimizer.js";
export { trainableParts, withInitializers } from "./train/parts.js";
export type { Recipe } from "./train/recipe.js";
export { cosine, type Schedule, steps } from "./train/schedule.js";
export { buildStep, classification, type StepOptions, type StepProgram } from "./train/step.js";
export { withCheckpoint } from "./train/stored-weights.js";
export { trainedGraph } from "./train/trained-graph.js";
export { createTrainer, finalWeights, initialState, type Trainer } from "./train/trainer.js";
export { type DecodedWeights, decodeWeights } from "./weights/decode-weights.js";
export { type LoadedWeights, type LoadOptions, loadWeights } from "./weights/load-weights.js";
export {
  type Architecture,
  type ArchitectureOptions,
  architecture,
  architectures,
  type Where,
} from "./zoo/index.js";
export { octResnet50 } from "./zoo/oct-resnet.js";
