import { shapeError } from "../errors.ts";
import { literal, record } from "../record.ts";
import { sizeOf, toAxes, toAxis } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { indices } from "./masking.ts";
import { type Axes, kept, keptShape, type ReduceOptions, reduceNode, spread } from "./reduction.ts";
import { along } from "./slicing.ts";

/** The extremes along an axis, and where they are. */
export interface Extremes {
  readonly values: Tensor;
  /** int32; of several equal ones the first. */
  readonly indices: Tensor;
}

type Extreme = "max" | "min";

/** The largest elements over the given axes, or all. Equal ones share the gradient. NaN if any is. */
export function amax(x: Tensor, dim?: Axes, options: ReduceOptions = {}): Tensor {
  return sharedExtreme("amax", "max", x, dim, options);
}

/** The smallest elements over the given axes, or all. Equal ones share the gradient. NaN if any is. */
export function amin(x: Tensor, dim?: Axes, options: ReduceOptions = {}): Tensor {
  return sharedExtreme("amin", "min", x, dim, options);
}

/**
 * The largest element of all; or with an axis, the largest along it and their indices. The gradient flows to
 * that index; without an axis equal elements share it.
 */
export function max(x: Tensor): Tensor;
export function max(x: Tensor, dim: number, options?: ReduceOptions): Extremes;
export function max(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor | Extremes {
  return dim === undefined ? sharedExtreme("max", "max", x) : alongAxis("max", x, dim, options);
}

/** The smallest element of all; or with an axis, the smallest along it and their indices. See {@link max}. */
export function min(x: Tensor): Tensor;
export function min(x: Tensor, dim: number, options?: ReduceOptions): Extremes;
export function min(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor | Extremes {
  return dim === undefined ? sharedExtreme("min", "min", x) : alongAxis("min", x, dim, options);
}

/** The index of the largest element along an axis, or in row-major order: int32, the first of equal ones. */
export function argmax(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor {
  return indexOf("argmax", x, dim, options);
}

/** The index of the smallest element along an axis, or in row-major order: int32, the first of equal ones. */
export function argmin(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor {
  return indexOf("argmin", x, dim, options);
}

function sharedExtreme(
  name: string,
  op: Extreme,
  x: Tensor,
  dim?: Axes,
  options: ReduceOptions = {},
): Tensor {
  const axes = toAxes(name, dim, x.ndim);
  requireElements(name, x, axes);
  if (axes.length === 0) return x;
  const input = numeric(x);
  const node = reduceNode(op, input, axes, options);
  const y = record(
    name,
    node,
    [input],
    [
      (grad, y) => {
        const hit = x.eq(spread(y, x, axes)).to(x.dtype);
        return hit.mul(spread(grad, x, axes).div(hit.sum(axes, kept)));
      },
    ],
  );
  return y.to(x.dtype);
}

function alongAxis(op: Extreme, x: Tensor, dim: number, options: ReduceOptions): Extremes {
  const axis = toAxis(op, dim, x.ndim);
  const found = indexOf(op === "max" ? "argmax" : "argmin", x, dim, options);
  if (x.ndim === 0) return { values: x, indices: found };
  const axes = [axis];
  const input = numeric(x);
  const node = reduceNode(op, input, axes, options);
  const values = record(
    op,
    node,
    [input],
    [
      (grad) => {
        const hit = positions(x, axis).eq(found.reshape(keptShape(x.shape, axes)));
        return hit.where(spread(grad, x, axes), literal(0, x));
      },
    ],
  );
  return { values: values.to(x.dtype), indices: found };
}

/** 0, 1, 2, … along an axis of `x`; the other axes have size 1. */
function positions(x: Tensor, axis: number): Tensor {
  return indices(x.shape[axis]).reshape(along(x, axis, x.shape[axis], 1));
}

function indexOf(
  op: "argmax" | "argmin",
  x: Tensor,
  dim: number | undefined,
  options: ReduceOptions,
): Tensor {
  const axes = toAxes(op, dim, x.ndim);
  requireElements(op, x, axes);
  const input = numeric(x);
  if (axes.length === 0) return record(op, literal(0, x.to("int32")).node);
  return record(op, reduceNode(op, input, axes, options));
}

/** Booleans are compared as integers. */
export function numeric(x: Tensor): Tensor {
  return x.dtype === "bool" ? x.to("uint8") : x;
}

function requireElements(op: string, x: Tensor, axes: readonly number[]): void {
  if (sizeOf(axes.map((axis) => x.shape[axis])) > 0) return;
  throw shapeError`${op}: the reduced axes must not be empty, got ${x.shape}.`;
}
