import {
  ArgumentError,
  checkOptions,
  full,
  noGrad,
  rand,
  randn,
  ShapeError,
  Tensor,
} from "@gradloom/tensor";
import { orthogonalRows } from "./orthogonal.ts";

/**
 * What to initialise: a parameter, which takes the values, or a shape, which gives a new tensor.
 */
type Target = Tensor | readonly number[];

/** A tensor for a tensor (the same one), a new tensor for a shape. */
type Filled<T extends Target> = T extends Tensor ? T : Tensor;

/** Which side's variance is kept: that of the result, or that of the gradient. */
export type FanMode = "fanIn" | "fanOut";

/** What follows a layer, for the gain. */
export type Nonlinearity =
  | "linear"
  | "conv1d"
  | "conv2d"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leakyRelu"
  | "selu";

/** Options of {@link kaimingUniform} and {@link kaimingNormal}. */
export interface KaimingOptions {
  /** The slope on the negative side, for `leakyRelu`. Default 0. */
  readonly a?: number;
  /** Default `'fanIn'`. */
  readonly mode?: FanMode;
  /** Default `'leakyRelu'`, which with `a = 0` is ReLU. */
  readonly nonlinearity?: Nonlinearity;
}

/** Options of {@link xavierUniform}, {@link xavierNormal} and {@link orthogonal}. */
export interface GainOptions {
  /** Default 1. */
  readonly gain?: number;
}

/** Uniform on `[a, b)`; by default on `[0, 1)`. */
export function uniform<T extends Target>(
  target: T,
  options: { readonly a?: number; readonly b?: number } = {},
): Filled<T> {
  checkOptions("uniform", options, { a: true, b: true });
  const { a = 0, b = 1 } = options;
  return fill(target, (shape) =>
    rand(shape)
      .mul(b - a)
      .add(a),
  );
}

/** Normal with the given `mean` (default 0) and standard deviation `std` (default 1). */
export function normal<T extends Target>(
  target: T,
  options: { readonly mean?: number; readonly std?: number } = {},
): Filled<T> {
  checkOptions("normal", options, { mean: true, std: true });
  const { mean = 0, std = 1 } = options;
  if (!(std >= 0)) throw new ArgumentError(`normal: std must be at least 0, got ${std}.`);
  return fill(target, (shape) => randn(shape).mul(std).add(mean));
}

/** The same value everywhere. */
export function constant<T extends Target>(target: T, value: number): Filled<T> {
  return fill(target, (shape) => full(shape, value));
}

/** 0 everywhere. */
export function zeros<T extends Target>(target: T): Filled<T> {
  return constant(target, 0);
}

/** 1 everywhere. */
export function ones<T extends Target>(target: T): Filled<T> {
  return constant(target, 1);
}

/**
 * Uniform on `±gain · √(3 / fan)`.
 *
 * - Paper: He et al. 2015, https://arxiv.org/abs/1502.01852
 * @throws ShapeError if there are fewer than 2 axes.
 */
export function kaimingUniform<T extends Target>(
  target: T,
  options: KaimingOptions = {},
): Filled<T> {
  const bound = Math.sqrt(3) * kaimingStd("kaimingUniform", target, options);
  return uniform(target, { a: -bound, b: bound });
}

/** Normal with standard deviation `gain / √fan`; see {@link kaimingUniform}. */
export function kaimingNormal<T extends Target>(
  target: T,
  options: KaimingOptions = {},
): Filled<T> {
  return normal(target, { std: kaimingStd("kaimingNormal", target, options) });
}

/**
 * Uniform on `±gain · √(6 / (fanIn + fanOut))`.
 *
 * - Paper: Glorot & Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html
 * @throws ShapeError if there are fewer than 2 axes.
 */
export function xavierUniform<T extends Target>(target: T, options: GainOptions = {}): Filled<T> {
  const bound = Math.sqrt(3) * xavierStd("xavierUniform", target, options);
  return uniform(target, { a: -bound, b: bound });
}

/** Normal with standard deviation `gain · √(2 / (fanIn + fanOut))`; see {@link xavierUniform}. */
export function xavierNormal<T extends Target>(target: T, options: GainOptions = {}): Filled<T> {
  return normal(target, { std: xavierStd("xavierNormal", target, options) });
}

/**
 * A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`. More axes
 * than two are taken as `[shape[0], the rest]`.
 *
 * - Paper: Saxe et al. 2013, https://arxiv.org/abs/1312.6120
 * @throws ShapeError if there are fewer than 2 axes.
 */
export function orthogonal<T extends Target>(target: T, options: GainOptions = {}): Filled<T> {
  checkOptions("orthogonal", options, { gain: true });
  const { gain = 1 } = options;
  return fill(target, (shape) => {
    fans("orthogonal", shape);
    const rows = shape[0];
    const columns = shape.slice(1).reduce((a, b) => a * b, 1);
    return orthogonalRows(rows, columns).mul(gain).reshape(shape);
  });
}

/**
 * By how much a nonlinearity shrinks what passes through it.
 *
 * @param a - The slope on the negative side, for `leakyRelu`. Default 0.01.
 */
export function calculateGain(nonlinearity: Nonlinearity, a = 0.01): number {
  switch (nonlinearity) {
    case "linear":
    case "conv1d":
    case "conv2d":
    case "sigmoid":
      return 1;
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
      return Math.sqrt(2 / (1 + a * a));
    case "selu":
      return 3 / 4;
    default:
      throw new ArgumentError(
        `calculateGain: no gain is known for ${nonlinearity satisfies never}.`,
      );
  }
}

function fill<T extends Target>(target: T, make: (shape: readonly number[]) => Tensor): Filled<T>;
function fill(target: Target, make: (shape: readonly number[]) => Tensor): Tensor {
  if (!(target instanceof Tensor)) return noGrad(() => make(target));
  noGrad(() => target.assign(make(target.shape).to(target.dtype)));
  return target;
}

function kaimingStd(op: string, target: Target, options: KaimingOptions): number {
  checkOptions(op, options, { a: true, mode: true, nonlinearity: true });
  const { a = 0, mode = "fanIn", nonlinearity = "leakyRelu" } = options;
  if (mode !== "fanIn" && mode !== "fanOut") {
    throw new ArgumentError(`${op}: mode must be fanIn or fanOut, got ${mode}.`, { op });
  }
  return calculateGain(nonlinearity, a) / Math.sqrt(fans(op, shapeOf(target))[mode]);
}

function xavierStd(op: string, target: Target, options: GainOptions): number {
  checkOptions(op, options, { gain: true });
  const { gain = 1 } = options;
  const { fanIn, fanOut } = fans(op, shapeOf(target));
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/** How many inputs a result depends on, and how many results an input: `[out, in, ...kernel]`. */
function fans(op: string, shape: readonly number[]): Record<FanMode, number> {
  if (!Array.isArray(shape) || shape.length < 2) {
    const got = JSON.stringify(shape)?.replaceAll(",", ", ");
    throw new ShapeError(`${op}: the shape must have 2 axes or more, got ${got}.`, {
      op,
      shapes: [shape],
    });
  }
  const kernel = shape.slice(2).reduce((a, b) => a * b, 1);
  return { fanIn: shape[1] * kernel, fanOut: shape[0] * kernel };
}

function shapeOf(target: Target): readonly number[] {
  return target instanceof Tensor ? target.shape : target;
}
