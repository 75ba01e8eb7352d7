import { argumentError, shapeError } from "../errors.ts";
import { noGrad } from "../grad-mode.ts";
import { requireFloat, requireTensor } from "../promote.ts";
import { firstAxes, listOf, sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { kept } from "./reduction.ts";

/** What `layerNorm` takes. */
export interface LayerNormOptions {
  /** Factor after normalising, of the normalized shape. Default: none. */
  readonly weight?: Tensor | undefined;
  /** Summand after normalising, of the normalized shape. Default: none. */
  readonly bias?: Tensor | undefined;
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
}

/**
 * `(x - mean) / √(var + eps) · weight + bias` over the last axes, whose sizes are given.
 *
 * @throws ShapeError if `x` does not end with `normalizedShape`, or a parameter does not have it.
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: readonly number[],
  options: LayerNormOptions = {},
): Tensor {
  const { weight, bias, eps = 1e-5 } = options;
  const axes = lastAxes("layerNorm", x, normalizedShape, [weight, bias]);
  return affine(standardized(x, axes, eps), weight, bias);
}

/** What `rmsNorm` takes. */
export interface RmsNormOptions {
  /** Factor after normalising, of the normalized shape. Default: none. */
  readonly weight?: Tensor | undefined;
  /** Added to the mean square. Default: the smallest number that changes 1. */
  readonly eps?: number;
}

/**
 * `x / √(mean(x²) + eps) · weight` over the last axes, whose sizes are given.
 *
 * - Paper: Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467
 * @throws ShapeError if `x` does not end with `normalizedShape`, or the weight does not have it.
 */
export function rmsNorm(
  x: Tensor,
  normalizedShape: readonly number[],
  options: RmsNormOptions = {},
): Tensor {
  const { weight, eps = x.dtype === "float64" ? 2 ** -52 : 2 ** -23 } = options;
  const axes = lastAxes("rmsNorm", x, normalizedShape, [weight]);
  const scale = x.square().mean(axes, kept).add(eps).rsqrt();
  return affine(x.mul(scale), weight, undefined);
}

/** What `batchNorm` takes. */
export interface BatchNormOptions {
  /** `[channels]`. Default: none. */
  readonly weight?: Tensor | undefined;
  /** `[channels]`. Default: none. */
  readonly bias?: Tensor | undefined;
  /** Normalises by the statistics of the batch, and updates the running ones. Default: false. */
  readonly training?: boolean;
  /** How much of the batch goes into the running statistics. Default: 0.1. */
  readonly momentum?: number;
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
}

/**
 * `(x - mean) / √(var + eps) · weight + bias` for each channel, the second axis.
 *
 * In training, mean and variance are those of the batch, and the running ones, if given, move towards them (the
 * variance unbiased); otherwise the running ones are used.
 *
 * - Shape: `x [batch, channels, ...]`, statistics and parameters `[channels]`
 * - Paper: Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167
 * @throws ShapeError if shapes do not fit, or there is one value a channel in training. ArgumentError without
 * statistics when not training.
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | undefined,
  runningVar: Tensor | undefined,
  options: BatchNormOptions = {},
): Tensor {
  const { weight, bias, training = false, momentum = 0.1, eps = 1e-5 } = options;
  requireFloat("batchNorm", x);
  if (x.ndim < 2) {
    throw shapeError`batchNorm: the tensor must be [batch, channels, ...], got ${x.shape}.`;
  }
  const channels = x.shape[1];
  for (const parameter of [runningMean, runningVar, weight, bias]) {
    requireShape("batchNorm", parameter, [channels]);
  }
  const parameters = [perChannel(x, weight), perChannel(x, bias)] as const;
  if (!training) {
    if (!runningMean || !runningVar) {
      throw argumentError`batchNorm: running statistics must be given, got none. Pass { training: true } to do without.`;
    }
    const scale = perChannel(x, runningVar.add(eps).rsqrt());
    return affine(x.sub(perChannel(x, runningMean)).mul(scale), ...parameters);
  }
  const count = x.numel / channels;
  if (count <= 1) {
    throw shapeError`batchNorm: there must be more than one value a channel in training, got ${x.shape}.`;
  }
  const axes = firstAxes(x.ndim).filter((axis) => axis !== 1);
  const mean = x.mean(axes, kept);
  const centred = x.sub(mean);
  const variance = centred.square().mean(axes, kept);
  noGrad(() => {
    const unbiased = variance.mul(count / (count - 1));
    moveTowards(runningMean, mean, momentum);
    moveTowards(runningVar, unbiased, momentum);
  });
  return affine(centred.mul(variance.add(eps).rsqrt()), ...parameters);
}

/** `[channels]` as `[channels, 1, ...]`, to go with `x`. */
function perChannel<T extends Tensor | undefined>(x: Tensor, parameter: T): Tensor | T {
  return parameter?.reshape(x.shape.slice(1).map((size, i) => (i === 0 ? size : 1))) ?? parameter;
}

function moveTowards(running: Tensor | undefined, batch: Tensor, momentum: number): void {
  if (!running) return;
  const target = batch.reshape(running.shape).to(running.dtype);
  running.assign(running.mul(1 - momentum).add(target.mul(momentum)));
}

/** What `groupNorm` takes. */
export interface GroupNormOptions {
  /** `[channels]`. Default: none. */
  readonly weight?: Tensor | undefined;
  /** `[channels]`. Default: none. */
  readonly bias?: Tensor | undefined;
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
}

/**
 * `(x - mean) / √(var + eps) · weight + bias` for each example and each group of channels.
 *
 * - Shape: `x [batch, channels, ...]`, parameters `[channels]`
 * - Paper: Wu & He 2018, https://arxiv.org/abs/1803.08494
 * @throws ShapeError if the groups do not divide the channels, or shapes do not fit.
 */
export function groupNorm(x: Tensor, numGroups: number, options: GroupNormOptions = {}): Tensor {
  const { weight, bias, eps = 1e-5 } = options;
  requireFloat("groupNorm", x);
  const [batch, channels = 0] = x.shape;
  if (x.ndim < 2 || !Number.isInteger(channels / numGroups) || numGroups < 1) {
    throw shapeError`groupNorm: the groups must divide the channels of [batch, channels, ...], got ${numGroups} for ${x.shape}.`;
  }
  requireShape("groupNorm", weight, [channels]);
  requireShape("groupNorm", bias, [channels]);
  const grouped = x.reshape([batch, numGroups, x.numel / Math.max(1, batch * numGroups)]);
  const y = standardized(grouped, [2], eps).reshape(x.shape);
  return affine(y, perChannel(x, weight), perChannel(x, bias));
}

/** `(x - mean) / √(var + eps)` over the axes, with the biased variance. */
function standardized(x: Tensor, axes: readonly number[], eps: number): Tensor {
  const centred = x.sub(x.mean(axes, kept));
  const variance = centred.square().mean(axes, kept);
  return centred.mul(variance.add(eps).rsqrt());
}

function affine(x: Tensor, weight: Tensor | undefined, bias: Tensor | undefined): Tensor {
  const scaled = weight ? x.mul(weight) : x;
  return bias ? scaled.add(bias) : scaled;
}

function lastAxes(
  op: string,
  x: Tensor,
  shape: readonly number[],
  parameters: readonly (Tensor | undefined)[],
): readonly number[] {
  requireFloat(op, x);
  const sizes = listOf(shape);
  const first = x.ndim - sizes.length;
  if (sizes.length === 0 || first < 0 || !sameShape(x.shape.slice(first), sizes)) {
    throw shapeError`${op}: the tensor must end with the normalized shape ${sizes}, got ${x.shape}.`;
  }
  for (const parameter of parameters) requireShape(op, parameter, sizes);
  return sizes.map((_, axis) => first + axis);
}

function requireShape(op: string, parameter: Tensor | undefined, shape: readonly number[]): void {
  if (!parameter) return;
  requireTensor(op, parameter);
  if (sameShape(parameter.shape, shape)) return;
  throw shapeError`${op}: weights and statistics must have shape ${shape}, got ${parameter.shape}.`;
}
