export {
  ArgumentError,
  BackendError,
  type DType,
  DTypeError,
  type ErrorDetails,
  GradloomError,
  IndexError,
  ShapeError,
  StateError,
  type TypedArray,
} from "@gradloom/engine";
export {
  type AnomalyContext,
  AnomalyError,
  type ModulePlace,
  setAnomalyContext,
  setDetectAnomaly,
} from "./anomaly.ts";
export { type BackwardOptions, backward, type GradOptions } from "./autograd.ts";
export { borrowStates } from "./borrowing.ts";
export { compile, live, onEachRun } from "./compile.ts";
export {
  type ArangeOptions,
  arange,
  type EyeOptions,
  empty,
  eye,
  fromTypedArray,
  full,
  linspace,
  ones,
  onesLike,
  type TensorOptions,
  type TypedArrayOptions,
  tensor,
  zeros,
  zerosLike,
} from "./create.ts";
export { watch } from "./encounters.ts";
export {
  type BackendName,
  type BackendOptions,
  memoryStats,
  realize,
  setBackend,
  setNumThreads,
  settle,
} from "./engine.ts";
export { defaultGenerator, Generator, type GeneratorState, manualSeed } from "./generator.ts";
export { isGradEnabled, noGrad } from "./grad-mode.ts";
export { type GradcheckOptions, gradcheck, gradgradcheck } from "./gradcheck.ts";
export type { Gradient, Gradients, History } from "./history.ts";
export { type MultinomialOptions, multinomial } from "./multinomial.ts";
export type { DataArray, NestedNumbers, TensorData } from "./nested.ts";
export {
  elu,
  type GeluOptions,
  gelu,
  hardswish,
  leakyRelu,
  mish,
  relu,
  type SoftplusOptions,
  sigmoid,
  silu,
  softplus,
} from "./ops/activation.ts";
export {
  abs,
  add,
  ceil,
  type DivOptions,
  div,
  floor,
  lerp,
  mul,
  neg,
  reciprocal,
  remainder,
  round,
  rsqrt,
  sign,
  sqrt,
  square,
  sub,
  trunc,
} from "./ops/arithmetic.ts";
export { type AttentionOptions, scaledDotProductAttention } from "./ops/attention.ts";
export { clone, to } from "./ops/cast.ts";
export {
  type AllcloseOptions,
  allclose,
  eq,
  ge,
  gt,
  isfinite,
  isinf,
  isnan,
  le,
  logicalAnd,
  logicalNot,
  logicalOr,
  lt,
  ne,
} from "./ops/comparison.ts";
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
} from "./ops/conv.ts";
export { type DropoutOptions, dropout } from "./ops/dropout.ts";
export { einsum } from "./ops/einsum.ts";
export { type EmbeddingOptions, embedding } from "./ops/embedding.ts";
export { amax, amin, argmax, argmin, type Extremes, max, min } from "./ops/extreme.ts";
export { type ClampOptions, clamp, maximum, minimum } from "./ops/extremum.ts";
export { groupedMatmul } from "./ops/grouped-matmul.ts";
export {
  checkIndices,
  gather,
  type IndexArguments,
  indexSelect,
  type ScatterArguments,
  scatter,
  scatterAdd,
  take,
} from "./ops/indexing.ts";
export { type InterpolateOptions, interpolate } from "./ops/interpolate.ts";
export { cat, chunk, meshgrid, roll, split, stack, unbind } from "./ops/joining.ts";
export { diagonal, maskedFill, oneHot, tril, triu, where } from "./ops/masking.ts";
export { bmm, dot, type LinearOptions, linear, matmul, mm, outer } from "./ops/matmul.ts";
export {
  type BatchNormOptions,
  batchNorm,
  type GroupNormOptions,
  groupNorm,
  type LayerNormOptions,
  layerNorm,
  type RmsNormOptions,
  rmsNorm,
} from "./ops/normalization.ts";
export { pixelShuffle } from "./ops/pixel-shuffle.ts";
export {
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  type OutputSize,
} from "./ops/pool.ts";
export { pow } from "./ops/power.ts";
export {
  type Axes,
  all,
  any,
  logsumexp,
  mean,
  type NormOptions,
  norm,
  prod,
  type ReduceOptions,
  std,
  sum,
  type VarianceOptions,
  variance as var,
} from "./ops/reduction.ts";
export { cumprod, cumsum } from "./ops/scan.ts";
export {
  flip,
  narrow,
  type PadOptions,
  pad,
  type SliceOptions,
  select,
  slice,
} from "./ops/slicing.ts";
export { logSoftmax, softmax } from "./ops/softmax.ts";
export { argsort, type SortOptions, sort, type TopkOptions, topk } from "./ops/sort.ts";
export {
  acos,
  asin,
  atan,
  cos,
  cosh,
  erf,
  exp,
  expm1,
  log,
  log1p,
  log2,
  sin,
  sinh,
  tan,
  tanh,
} from "./ops/transcendental.ts";
export { type UnfoldArguments, type UnfoldOptions, unfold } from "./ops/unfold.ts";
export {
  expand,
  flatten,
  permute,
  repeat,
  repeatInterleave,
  reshape,
  squeeze,
  t,
  transpose,
  unflatten,
  unsqueeze,
  view,
} from "./ops/view.ts";
export type { Pair } from "./ops/window.ts";
export { checkOptions } from "./options.ts";
export { type Operand, requireTensor } from "./promote.ts";
export {
  bernoulli,
  type RandomOptions,
  rand,
  randint,
  randn,
  randnLike,
  randperm,
} from "./random.ts";
export { explain, profile, Report } from "./report.ts";
export { type DataOptions, Tensor } from "./tensor.ts";
export { type ArgnumsOptions, grad, type PerArgument, valueAndGrad } from "./transforms/grad.ts";
export {
  hessian,
  jacobian,
  type PerOutput,
  type SecondDerivatives,
} from "./transforms/jacobian.ts";
export { type ScanOptions, scan } from "./transforms/scan.ts";
export type { ScanStep } from "./transforms/traced-step.ts";
export type { TensorsOf } from "./transforms/tree.ts";
export { type Cotangents, jvp, vjp } from "./transforms/vjp.ts";
export { type VmapOptions, vmap } from "./transforms/vmap.ts";
