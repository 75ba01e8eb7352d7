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
} from "./activation.ts";
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
} from "./arithmetic.ts";
export { type AttentionOptions, scaledDotProductAttention } from "./attention.ts";
export { clone, to } from "./cast.ts";
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
} from "./comparison.ts";
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
} from "./conv.ts";
export { type DropoutOptions, dropout } from "./dropout.ts";
export { einsum } from "./einsum.ts";
export { type EmbeddingOptions, embedding } from "./embedding.ts";
export { amax, amin, argmax, argmin, type Extremes, max, min } from "./extreme.ts";
export { type ClampOptions, clamp, maximum, minimum } from "./extremum.ts";
export { groupedMatmul } from "./grouped-matmul.ts";
export {
  gather,
  type IndexArguments,
  indexSelect,
  type ScatterArguments,
  scatter,
  scatterAdd,
  take,
} from "./indexing.ts";
export { type InterpolateOptions, interpolate } from "./interpolate.ts";
export { cat, chunk, meshgrid, roll, split, stack, unbind } from "./joining.ts";
export { diagonal, maskedFill, oneHot, tril, triu, where } from "./masking.ts";
export { bmm, dot, type LinearOptions, linear, matmul, mm, outer } from "./matmul.ts";
export {
  type BatchNormOptions,
  batchNorm,
  type GroupNormOptions,
  groupNorm,
  type LayerNormOptions,
  layerNorm,
  type RmsNormOptions,
  rmsNorm,
} from "./normalization.ts";
export { pixelShuffle } from "./pixel-shuffle.ts";
export {
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  type OutputSize,
} from "./pool.ts";
export { pow } from "./power.ts";
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
} from "./reduction.ts";
export { cumprod, cumsum } from "./scan.ts";
export { flip, narrow, type PadOptions, pad, type SliceOptions, select, slice } from "./slicing.ts";
export { logSoftmax, softmax } from "./softmax.ts";
export { argsort, type SortOptions, sort, type TopkOptions, topk } from "./sort.ts";
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
} from "./transcendental.ts";
export { type UnfoldArguments, unfold } from "./unfold.ts";
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
} from "./view.ts";
export type { Pair } from "./window.ts";
