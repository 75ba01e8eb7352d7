import { axisOf, firstAxes, requireCount, sizeAt, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { type Pair, perAxis, requireImages, windowAxes, windows } from "./window.ts";

/** What `unfold` takes for images. */
export interface UnfoldOptions {
  /** How far the elements of a window are apart. Default: 1. */
  readonly dilation?: Pair;
  /** Zeros around: how many on each side. Default: 0. */
  readonly padding?: Pair;
  /** How far windows are apart. Default: 1. */
  readonly stride?: Pair;
}

/** A kernel for images; or an axis, and size and step of windows along it. */
export type UnfoldArguments =
  | readonly [kernelSize: Pair, options?: UnfoldOptions]
  | readonly [dim: number, size: number, step: number];

/**
 * The windows of images as columns, as PyTorch's `F.unfold`: `unfold(x, kernelSize, { stride, padding, dilation })`. Or, with three
 * numbers, the windows along an axis as PyTorch's method: `x.unfold(dim, size, step)`.
 *
 * - Shape: `[batch, channels, height, width] -> [batch, channels · taps, windows]`; along an axis
 *   `[..., n, ...] -> [..., (n - size) / step + 1, ..., size]`
 * - Gradient: what each element gets from all windows that it is in
 * @throws ShapeError if no window fits. ArgumentError for an option out of range.
 */
export function unfold(x: Tensor, ...args: UnfoldArguments): Tensor {
  const [first, second] = args;
  if (typeof first === "number" && typeof second === "number") {
    return alongAxis(x, first, second, args[2] ?? 1);
  }
  return ofImages(x, first, second as UnfoldOptions | undefined);
}

function ofImages(x: Tensor, kernelSize: Pair, options: UnfoldOptions = {}): Tensor {
  const op = "unfold";
  requireImages(op, x, 2);
  const kernel = perAxis(op, "kernelSize", kernelSize, 2, 1);
  const axes = windowAxes(op, x.shape.slice(-2), kernel, options);
  const channels = sizeAt(x, -3);
  return windows(x, axes).reshape([
    ...x.shape.slice(0, -3),
    channels * sizeOf(kernel),
    sizeOf(axes.map(({ count }) => count)),
  ]);
}

function alongAxis(x: Tensor, dim: number, size: number, step: number): Tensor {
  const op = "unfold";
  const axis = axisOf(op, x, dim);
  requireCount(op, "size", size, 1);
  requireCount(op, "step", step, 1);
  const axes = windowAxes(op, [x.shape[axis]], [size], { stride: step });
  const others = firstAxes(x.ndim).filter((other) => other !== axis);
  const seen = windows(x.permute([...others, axis]), axes); // [...others, size, count]
  const order = [...firstAxes(x.ndim - 1)];
  order.splice(axis, 0, x.ndim);
  return seen.permute([...order, x.ndim - 1]);
}
