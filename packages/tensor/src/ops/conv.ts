import { argumentError, shapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { promote, requireFloat, requireTensor } from "../promote.ts";
import { formula, record } from "../record.ts";
import { firstAxes, isCount, sameShape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { cat } from "./joining.ts";
import {
  arrivalsNode,
  joinPhases,
  type Pair,
  type Phases,
  perAxis,
  phasesOf,
  requireImages,
  spacedAxes,
  tapsByPhase,
  type WindowAxis,
  windowAxes,
  windowsNode,
  withoutStride,
} from "./window.ts";

/** What `conv1d` and `conv2d` take. */
export interface ConvOptions {
  /** `[outChannels]`. Default: none. */
  readonly bias?: Tensor | undefined;
  /** How far windows are apart. Default: 1. */
  readonly stride?: Pair;
  /** Zeros around: how many on each side; `"same"`: as many as keep the size; `"valid"`: none. Default: 0. */
  readonly padding?: Pair | "same" | "valid";
  /** How far the elements of a window are apart. Default: 1. */
  readonly dilation?: Pair;
  /** Each group of output channels sees one group of input channels. Default: 1. */
  readonly groups?: number;
}

/** What `convTranspose1d` and `convTranspose2d` take. */
export interface ConvTransposeOptions {
  /** `[outChannels]`. Default: none. */
  readonly bias?: Tensor | undefined;
  /** How far apart the elements of `x` are put. Default: 1. */
  readonly stride?: Pair;
  /** What is cut off on each side of the result. Default: 0. */
  readonly padding?: Pair;
  /** How much longer the result is, at its end. Less than stride or dilation. Default: 0. */
  readonly outputPadding?: Pair;
  /** How far the elements of a window are apart. Default: 1. */
  readonly dilation?: Pair;
  /** Each group of output channels sees one group of input channels. Default: 1. */
  readonly groups?: number;
}

/**
 * Slides windows along the last axis, `y[o, i] = bias[o] + Σ weight[o, c, k] · x[c, stride · i + dilation · k - padding]`,
 * summed over channels `c` and taps `k` (a cross-correlation, as everywhere).
 *
 * - Shape: `x [batch, inChannels, length]`, `weight [outChannels, inChannels / groups, taps]` →
 *   `[batch, outChannels, (length + 2 · padding - dilation · (taps - 1) - 1) / stride + 1]`; `x` may lack the batch
 * @throws ShapeError if shapes do not fit. ArgumentError for an option out of range.
 */
export function conv1d(x: Tensor, weight: Tensor, options: ConvOptions = {}): Tensor {
  return convolution("conv1d", x, weight, options, 1);
}

/**
 * Slides windows over images, `y[o, i, j] = bias[o] + Σ weight[o, c, k, l] · x[c, stride · i + dilation · k - padding, …]`,
 * summed over channels `c` and taps `k, l` (a cross-correlation, as everywhere).
 *
 * The windows are read where they are as the matrix of a matrix product; nothing is copied.
 *
 * - Shape: `x [batch, inChannels, height, width]`, `weight [outChannels, inChannels / groups, taps, taps]` →
 *   `[batch, outChannels, (height + 2 · padding - dilation · (taps - 1) - 1) / stride + 1, …]`; `x` may lack the batch
 * @example `conv2d(x, weight, { bias, stride: 2, padding: [1, 0] })`
 * @throws ShapeError if shapes do not fit. ArgumentError for an option out of range.
 */
export function conv2d(x: Tensor, weight: Tensor, options: ConvOptions = {}): Tensor {
  return convolution("conv2d", x, weight, options, 2);
}

/**
 * The adjoint of {@link conv1d}: each element of `x` adds the weight, times itself, to the result.
 *
 * - Shape: `x [batch, inChannels, length]`, `weight [inChannels, outChannels / groups, taps]` →
 *   `[batch, outChannels, (length - 1) · stride - 2 · padding + dilation · (taps - 1) + outputPadding + 1]`
 * @throws ShapeError if shapes do not fit. ArgumentError for an option out of range.
 */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions = {},
): Tensor {
  return transposed("convTranspose1d", x, weight, options, 1);
}

/**
 * The adjoint of {@link conv2d}: each element of `x` adds the weight, times itself, to the result.
 *
 * - Shape: `x [batch, inChannels, height, width]`, `weight [inChannels, outChannels / groups, taps, taps]` →
 *   `[batch, outChannels, (height - 1) · stride - 2 · padding + dilation · (taps - 1) + outputPadding + 1, …]`
 * @throws ShapeError if shapes do not fit. ArgumentError for an option out of range.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions = {},
): Tensor {
  return transposed("convTranspose2d", x, weight, options, 2);
}

const known = { bias: true, stride: true, padding: true, dilation: true, groups: true };

function convolution(
  op: string,
  input: Tensor,
  weight: Tensor,
  options: ConvOptions,
  n: number,
): Tensor {
  const { bias, groups = 1 } = checkOptions(op, options, known);
  requireTensor(op, weight);
  checkShapes(op, input, weight, bias, groups, weight.shape[1] * groups, weight.shape[0], n);
  const { padding, ...spacing } = options;
  const taps = weight.shape.slice(2);
  const sizes = input.shape.slice(-n);
  const axes =
    padding === "same"
      ? spacedAxes(op, taps, spacing).map((axis, a) => sameSize(op, axis, sizes[a]))
      : windowAxes(op, sizes, taps, { ...spacing, padding: padding === "valid" ? 0 : padding });
  return inGroups(op, input, weight, bias, groups, axes, toOutput);
}

/** As many windows as elements. */
function sameSize(
  op: string,
  axis: ReturnType<typeof spacedAxes>[number],
  size: number,
): WindowAxis {
  const { stride, dilation, taps } = axis;
  if (stride !== 1) {
    throw argumentError`${op}: stride must be 1 for padding "same", got ${stride}. Give the padding as a number.`;
  }
  return { ...axis, padding: Math.floor((dilation * (taps - 1)) / 2), size, count: size };
}

function transposed(
  op: string,
  input: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions,
  n: number,
): Tensor {
  const { bias, groups = 1 } = checkOptions(op, options, { ...known, outputPadding: true });
  requireTensor(op, weight);
  checkShapes(op, input, weight, bias, groups, weight.shape[0], weight.shape[1] * groups, n);
  const extra = perAxis(op, "outputPadding", options.outputPadding ?? 0, n, 0);
  const axes = spacedAxes(op, weight.shape.slice(2), options).map((axis, a): WindowAxis => {
    const { taps, stride, padding, dilation } = axis;
    if (extra[a] >= Math.max(stride, dilation)) {
      throw argumentError`${op}: outputPadding must be less than stride or dilation, got ${extra[a]} for ${stride} and ${dilation}.`;
    }
    const count = input.shape[input.ndim - n + a];
    const reach = (count - 1) * stride + dilation * (taps - 1) + 1;
    const size = reach + extra[a] - 2 * padding;
    if (size < 1) {
      throw shapeError`${op}: the result must not be empty, got padding ${padding} for input ${input.shape} and weight ${weight.shape}.`;
    }
    return { ...axis, size, count };
  });
  return inGroups(op, input, weight, bias, groups, axes, toInput);
}

/** @throws ShapeError or DTypeError unless weight and bias go with the input. */
function checkShapes(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  groups: number,
  inChannels: number,
  outChannels: number,
  n: number,
): void {
  requireImages(op, x, n);
  requireFloat(op, weight);
  if (weight.ndim !== n + 2) {
    throw shapeError`${op}: the weight must have ${n + 2} axes, got ${weight.shape}.`;
  }
  const channels = x.shape[x.ndim - n - 1];
  if (channels !== inChannels) {
    throw shapeError`${op}: the input must have ${inChannels} channels, as the weight in ${groups} groups, got ${x.shape} and ${weight.shape}.`;
  }
  if (!isCount(groups, 1) || weight.shape[0] % groups !== 0) {
    throw shapeError`${op}: groups must divide the channels, got ${groups} for weight ${weight.shape}.`;
  }
  if (bias && !sameShape(bias.shape, [outChannels])) {
    throw shapeError`${op}: the bias must be [${outChannels}], got ${bias.shape}.`;
  }
}

/** Runs a product on tensors that have an axis of groups; adds the bias. */
function inGroups(
  op: string,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  groups: number,
  axes: readonly WindowAxis[],
  product: typeof toOutput,
): Tensor {
  const dtype = promote(input.dtype, weight.dtype);
  const n = axes.length;
  const sizes = input.shape.slice(-n);
  const batch = input.ndim === n + 2 ? [input.shape[0]] : [];
  const x = input
    .to(dtype)
    .reshape([batch[0] ?? 1, groups, input.shape[input.ndim - n - 1] / groups, ...sizes]);
  const w = weight
    .to(dtype)
    .reshape([groups, weight.shape[0] / groups, weight.shape[1], ...axes.map(({ taps }) => taps)]);
  const y = product(op, x, w, axes); // [batch, groups, channels, ...]
  const channels = y.shape[1] * y.shape[2];
  const result = y.reshape([...batch, channels, ...y.shape.slice(3)]);
  return bias ? result.add(bias.to(dtype).reshape([channels, ...axes.map(() => 1)])) : result;
}

/** So few terms of a single channel are summed at each place, for all phases in one. */
const fewTerms = 32;
/** With fewer channels, one product of all phases is better than one for each, although some taps of it are 0. */
const manyChannels = 8;

/*
 * The three products. Of what `Σ y · weight · x` sums (batch, groups, channels, windows, taps), each leaves one factor
 * out; so it is the gradient of the other two, to any order:
 *
 *   x [batch, groups, c, ...sizes]   weight [groups, o, c, ...taps]   y [batch, groups, o, ...counts]
 */

/** The convolution: what goes with `y`. */
function toOutput(op: string, x: Tensor, w: Tensor, axes: readonly WindowAxis[]): Tensor {
  const node = formula(() => {
    const seen = record(op, windowsNode(x.node, axes)); // [batch, groups, c, ...taps, ...counts]
    return contract(w.unsqueeze(0), seen, 1, 1 + axes.length);
  });
  return record(
    op,
    node,
    [x, w],
    [(grad) => toInput(op, grad, w, axes), (grad) => toWeight(op, x, grad, axes)],
  );
}

/** The transposed convolution: what goes with `x`. */
function toInput(op: string, y: Tensor, w: Tensor, axes: readonly WindowAxis[]): Tensor {
  const node = formula(() => {
    const [spaced, plain] = withoutStride(y, axes);
    const n = axes.length;
    const toC = [0, 2, ...axesFrom(3, n), 1, ...axesFrom(3 + n, n)];
    const product = (phases: readonly Phases[], count?: number, isThin?: boolean) => {
      const seen = record(op, arrivalsNode(spaced.node, phases)); // [batch, groups, o, ...t, ...q]
      const taps = record(op, tapsByPhase(w.node, phases, count)); // [groups, o, c, ...phase, ...t]
      return contract(taps.permute(toC).unsqueeze(0), seen, 1 + n, 1 + n, isThin);
    };
    const all = plain.map((axis) => phasesOf(axis));
    const strides = plain.map(({ stride }) => stride);
    const [, out, channels] = w.shape;
    const isSmall = channels === 1 && out * sizeOf(all.map(({ taps }) => taps)) <= fewTerms;
    if (isSmall || channels < manyChannels || sizeOf(strides) === 1) {
      return joinPhases(product(all, undefined, isSmall), all);
    }
    // Each phase has a product with the taps that reach it.
    const parts = phasesIn(strides).map((phase) =>
      product(
        plain.map((axis, a) => phasesOf(axis, phase[a])),
        1,
      ).unsqueeze(0),
    );
    const [, batch, groups] = parts[0].shape;
    const counts = all.map(({ count }) => count);
    const joined = cat(parts, 0).reshape([...strides, batch, groups, channels, ...counts]);
    const order = [...axesFrom(n, 3), ...firstAxes(n), ...axesFrom(n + 3, n)];
    return joinPhases(joined.permute(order), all);
  });
  return record(
    op,
    node,
    [y, w],
    [(grad) => toOutput(op, grad, w, axes), (grad) => toWeight(op, grad, y, axes)],
  );
}

/** What goes with `weight`. */
function toWeight(op: string, x: Tensor, y: Tensor, axes: readonly WindowAxis[]): Tensor {
  const node = formula(() => {
    const n = axes.length;
    const seen = record(op, windowsNode(x.node, axes)); // [batch, groups, c, ...taps, ...counts]
    const left = [1, 2, 0, ...axesFrom(3, n)];
    const right = [1, 0, ...axesFrom(3 + n, n), 2, ...axesFrom(3, n)];
    const product = contract(
      y.permute(left).unsqueeze(0),
      seen.permute(right).unsqueeze(0),
      1,
      1 + n,
    );
    return product.squeeze(0);
  });
  return record(
    op,
    node,
    [x, y],
    [(grad) => toInput(op, y, grad, axes), (grad) => toOutput(op, x, grad, axes)],
  );
}

/**
 * `[1, groups, ...rows, ...inner] × [batch, groups, ...inner, ...columns] -> [batch, groups, ...rows, ...columns]`: as a
 * product of matrices, or where those would be thin, element by element.
 */
function contract(
  a: Tensor,
  b: Tensor,
  rowAxes: number,
  innerAxes: number,
  isThin?: boolean,
): Tensor {
  const [batch, groups] = b.shape;
  const rows = a.shape.slice(2, 2 + rowAxes);
  const inner = b.shape.slice(2, 2 + innerAxes);
  const columns = b.shape.slice(2 + innerAxes);
  const [m, k, n] = [sizeOf(rows), sizeOf(inner), sizeOf(columns)];
  if (isThin || Math.min(m, n) < 2 || k < 1) {
    const left = a.reshape([1, groups, ...rows, ...inner, ...columns.map(() => 1)]);
    const right = b.reshape([batch, groups, ...rows.map(() => 1), ...inner, ...columns]);
    return left.mul(right).sum(inner.map((_, axis) => 2 + rowAxes + axis));
  }
  return a
    .reshape([1, groups, m, k])
    .matmul(b.reshape([batch, groups, k, n]))
    .reshape([batch, groups, ...rows, ...columns]);
}

function axesFrom(first: number, count: number): readonly number[] {
  return firstAxes(count).map((axis) => first + axis);
}

/** All positions in a nest of loops of these sizes. */
function phasesIn(strides: readonly number[]): readonly (readonly number[])[] {
  return strides.reduce<readonly (readonly number[])[]>(
    (phases, stride) => phases.flatMap((p) => firstAxes(stride).map((phase) => [...p, phase])),
    [[]],
  );
}
