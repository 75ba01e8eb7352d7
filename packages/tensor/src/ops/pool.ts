import { reduce } from "@gradloom/engine";
import { argumentError } from "../errors.ts";
import { formula, literal, record } from "../record.ts";
import { isCount, sizeAt, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Extremes } from "./extreme.ts";
import { indices } from "./masking.ts";
import {
  fold,
  type Pair,
  perAxis,
  requireImages,
  type WindowAxis,
  windowAxes,
  windows,
  windowsNode,
} from "./window.ts";

interface PoolOptions {
  /** How far windows are apart. Default: the kernel, so that windows lie side by side. */
  readonly stride?: Pair | undefined;
  /** How many elements are added on each side: at most half of the kernel. Default: 0. */
  readonly padding?: Pair;
  /** Whether a window may end outside. Default: false. */
  readonly ceilMode?: boolean;
}

/** What `maxPool1d` and `maxPool2d` take. */
export interface MaxPoolOptions extends PoolOptions {
  /** How far the elements of a window are apart. Default: 1. */
  readonly dilation?: Pair;
  /** Gives the maxima and where they are. Default: false. */
  readonly returnIndices?: boolean;
}

/** What `avgPool2d` takes. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros, or not at all. Default: true. */
  readonly countIncludePad?: boolean;
  /** What sums are divided by. Default: how many elements the window has. */
  readonly divisorOverride?: number;
}

type WithIndices = MaxPoolOptions & { readonly returnIndices: true };

/**
 * The largest element of each window along the last axis. The gradient flows to the first one of equal ones. What is
 * added around is smaller than any number.
 *
 * - Shape: `x [batch, channels, length] -> [batch, channels, (length + 2 · padding - dilation · (kernel - 1) - 1) / stride + 1]`
 * @returns With `returnIndices` also the positions along the axis: int32.
 * @throws ShapeError if no window fits. ArgumentError for an option out of range.
 */
export function maxPool1d(x: Tensor, kernelSize: Pair, options: WithIndices): Extremes;
export function maxPool1d(x: Tensor, kernelSize: Pair, options?: MaxPoolOptions): Tensor;
export function maxPool1d(
  x: Tensor,
  kernelSize: Pair,
  options?: MaxPoolOptions,
): Tensor | Extremes {
  return maxPool("maxPool1d", x, kernelSize, options, 1);
}

/**
 * The largest element of each window of an image. The gradient flows to the first one of equal ones. What is added
 * around is smaller than any number.
 *
 * - Shape: `x [batch, channels, height, width] -> [batch, channels, (height + 2 · padding - dilation · (kernel - 1) - 1) / stride + 1, …]`
 * @returns With `returnIndices` also the positions in the image, in row-major order: int32.
 * @throws ShapeError if no window fits. ArgumentError for an option out of range.
 */
export function maxPool2d(x: Tensor, kernelSize: Pair, options: WithIndices): Extremes;
export function maxPool2d(x: Tensor, kernelSize: Pair, options?: MaxPoolOptions): Tensor;
export function maxPool2d(
  x: Tensor,
  kernelSize: Pair,
  options?: MaxPoolOptions,
): Tensor | Extremes {
  return maxPool("maxPool2d", x, kernelSize, options, 2);
}

/**
 * The mean of each window of an image.
 *
 * - Shape: `x [batch, channels, height, width] -> [batch, channels, (height + 2 · padding - kernel) / stride + 1, …]`
 * @throws ShapeError if no window fits. ArgumentError for an option out of range.
 */
export function avgPool2d(x: Tensor, kernelSize: Pair, options: AvgPoolOptions = {}): Tensor {
  const op = "avgPool2d";
  const { countIncludePad = true, divisorOverride } = options;
  const axes = poolAxes(op, x, kernelSize, options, 2);
  if (divisorOverride === 0) {
    throw argumentError`${op}: divisorOverride must not be 0, got ${divisorOverride}.`;
  }
  const lead = x.ndim - 2;
  const total = windows(x, axes).sum([lead, lead + 1]);
  if (divisorOverride !== undefined) return total.div(literal(divisorOverride, x));
  const limits = axes.map(({ size, padding }): readonly [number, number] =>
    countIncludePad ? [-padding, size + padding] : [0, size],
  );
  if (axes.every((axis, a) => limits[a][0] <= -axis.padding && endOf(axis) <= limits[a][1])) {
    return total.div(literal(sizeOf(axes.map(({ taps }) => taps)), x));
  }
  const [rows, columns] = axes.map((axis, a) => elementsWithin(axis, limits[a]).to(x.dtype));
  return total.div(rows.unsqueeze(1).mul(columns));
}

/**
 * Means of windows that cover an image: window `i` of an axis goes from `⌊i · size / out⌋` to `⌈(i + 1) · size / out⌉`.
 *
 * - Shape: `x [batch, channels, height, width] -> [batch, channels, ...outputSize]`
 * @param outputSize - `null` for an axis keeps its size.
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  const op = "adaptiveAvgPool2d";
  const [height, width] = outputSizes(op, x, outputSize);
  const even = evenWindows(x, height, width);
  if (even) return avgPool2d(x, even);
  const means = (axis: number, count: number) => {
    const [inside, elements] = adaptiveWindows(x.shape[axis], count);
    return inside.where(elements.to(x.dtype).reciprocal(), literal(0, x));
  };
  return means(x.ndim - 2, height).matmul(x.matmul(means(x.ndim - 1, width).t()));
}

/**
 * The largest elements of windows that cover an image; see {@link adaptiveAvgPool2d}. The gradient flows to the first one
 * of equal ones.
 *
 * - Shape: `x [batch, channels, height, width] -> [batch, channels, ...outputSize]`
 */
export function adaptiveMaxPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  const op = "adaptiveMaxPool2d";
  const [height, width] = outputSizes(op, x, outputSize);
  const even = evenWindows(x, height, width);
  if (even) return maxPool2d(x, even);
  const lowest = literal(-Infinity, x);
  const [columns] = adaptiveWindows(sizeAt(x, -1), width);
  const [rows] = adaptiveWindows(sizeAt(x, -2), height);
  const ofRows = columns.where(x.unsqueeze(-2), lowest).max(-1).values; // [..., h, width]
  return rows.unsqueeze(-1).where(ofRows.unsqueeze(-3), lowest).max(-2).values;
}

/** A size for both axes, or one for each; `null`: as it is. */
export type OutputSize = number | readonly (number | null)[];

function outputSizes(op: string, x: Tensor, outputSize: OutputSize): readonly number[] {
  requireImages(op, x, 2);
  const list = typeof outputSize === "number" ? [outputSize, outputSize] : outputSize;
  const sizes = list.map((size, a) => size ?? sizeAt(x, a - 2));
  return perAxis(op, "outputSize", sizes, 2, 1);
}

/** The windows of an adaptive pool if they are all of one size and lie side by side. */
function evenWindows(x: Tensor, height: number, width: number): readonly number[] | undefined {
  const sizes = [sizeAt(x, -2) / height, sizeAt(x, -1) / width];
  return sizes.every((size) => isCount(size, 1)) ? sizes : undefined;
}

/** Which elements each window has, `[count, size]`, and how many, `[count, 1]`. */
function adaptiveWindows(size: number, count: number): readonly [Tensor, Tensor] {
  const at = indices(size);
  const window = indices(count).unsqueeze(1);
  const long = literal(size, at);
  const short = literal(count, at);
  const down = { roundingMode: "floor" } as const;
  const start = window.mul(long).div(short, down);
  const end = window
    .mul(long)
    .add(literal(size + count - 1, at))
    .div(short, down);
  return [at.ge(start).logicalAnd(at.lt(end)), end.sub(start)];
}

function poolAxes(
  op: string,
  x: Tensor,
  kernelSize: Pair,
  options: PoolOptions & { readonly dilation?: Pair },
  n: number,
): readonly WindowAxis[] {
  requireImages(op, x, n);
  const kernel = perAxis(op, "kernelSize", kernelSize, n, 1);
  const spacing = { ...options, stride: options.stride ?? kernel };
  const axes = windowAxes(op, x.shape.slice(-n), kernel, spacing);
  for (const { padding, taps } of axes) {
    if (padding <= taps / 2) continue;
    throw argumentError`${op}: padding must be at most half of the kernel, got ${padding} for ${taps}. Use pad().`;
  }
  return axes;
}

function maxPool(
  op: string,
  x: Tensor,
  kernelSize: Pair,
  options: MaxPoolOptions = {},
  n: number,
): Tensor | Extremes {
  const axes = poolAxes(op, x, kernelSize, options, n);
  const lead = x.ndim - n;
  const taps = axes.map(({ taps }) => taps);
  const counts = axes.map(({ count }) => count);
  const over = axes.map((_, a) => lead + a);
  const seen = formula(() => record(op, windowsNode(x.node, axes, true))); // [..., ...taps, ...counts]
  // Which tap is the largest, in row-major order.
  const first = () => record(op, reduce("argmax", seen, over));
  const values = record(
    op,
    reduce("max", seen, over),
    [x],
    [
      (grad) => {
        const shape = [...x.shape.slice(0, lead), ...taps.map(() => 1), ...counts];
        const tap = indices(sizeOf(taps)).reshape([...taps, ...taps.map(() => 1)]);
        const hit = tap.eq(first().reshape(shape));
        return fold(hit.where(grad.reshape(shape), literal(0, x)), axes);
      },
    ],
  );
  if (options.returnIndices !== true) return values;
  return { values, indices: positionsOf(first(), axes) };
}

/** Behind the last position of the last window. */
function endOf({ taps, stride, dilation, padding, count }: WindowAxis): number {
  return (count - 1) * stride + dilation * (taps - 1) + 1 - padding;
}

/** The positions of taps in the image, in row-major order. */
function positionsOf(first: Tensor, axes: readonly WindowAxis[]): Tensor {
  const number = (value: number) => literal(value, first);
  let rest = first;
  let scale = 1;
  let position = number(0);
  for (let a = axes.length - 1; a >= 0; a--) {
    const { size, taps, stride, dilation, padding, count } = axes[a];
    const tap = rest.remainder(number(taps)).mul(number(dilation));
    const start = indices(count).mul(number(stride)).sub(number(padding));
    const along = start.reshape([count, ...axes.slice(a + 1).map(() => 1)]).add(tap);
    position = position.add(along.mul(number(scale)));
    rest = rest.div(number(taps), { roundingMode: "floor" });
    scale *= size;
  }
  return position;
}

/** How many elements of each window are from `low` up to `high`. */
function elementsWithin(
  { taps, stride, padding, count }: WindowAxis,
  [low, high]: readonly [number, number],
): Tensor {
  const window = indices(count);
  const number = (value: number) => literal(value, window);
  const start = window.mul(number(stride)).sub(number(padding));
  const end = start.add(number(taps));
  return end.minimum(number(high)).sub(start.maximum(number(low)));
}
