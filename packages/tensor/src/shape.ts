import { argumentError, shapeError, show } from "./errors.ts";
import type { Tensor } from "./tensor.ts";

export { resized, sameShape, sizeOf, spliced } from "@gradloom/engine";

// Array.isArray does not tell a readonly array from what is not one.
const isList: <T>(values: T | readonly T[]) => values is readonly T[] = Array.isArray;

/** One value or several, as a list. What is neither is one in a list, which is refused as such. */
export function listOf<T>(values: T | readonly T[]): readonly T[] {
  return isList(values) ? values : [values];
}

/** The size of an axis that is counted from the end, as -1. */
export function sizeAt({ shape }: Tensor, dim: number): number {
  return shape[shape.length + dim];
}

/** Whether a number is whole, and at least `least`. */
export function isCount(value: number, least = 0): boolean {
  return Number.isInteger(value) && value >= least;
}

/** @throws ArgumentError unless `value` is whole, and at least `least`. */
export function requireCount(op: string, name: string, value: number, least: number): void {
  if (isCount(value, least)) return;
  throw argumentError`${op}: ${name} must be an integer of at least ${least}, got ${value}.`;
}

/**
 * An axis of a tensor, counted from the front.
 *
 * @throws ShapeError if there is no such axis, as in a scalar.
 */
export function axisOf(op: string, x: Tensor, dim: number): number {
  if (x.ndim > 0) return toAxis(op, dim, x.ndim);
  throw shapeError`${op}: the tensor must have an axis, got a scalar. Use unsqueeze(0).`;
}

/**
 * An axis counted from the front. A tensor without axes is treated as one with a single axis.
 *
 * @throws ShapeError if there is no such axis.
 */
export function toAxis(op: string, dim: number, ndim: number): number {
  const axes = Math.max(ndim, 1);
  if (!isCount(dim, -axes) || dim >= axes) {
    const fix = typeof dim === "object" ? " Options follow the axis." : "";
    throw shapeError`${op}: the axis must be in [${-axes}, ${axes - 1}], got ${JSON.stringify(dim)}.${fix}`;
  }
  return dim < 0 ? dim + axes : dim;
}

/**
 * Axes counted from the front, sorted. Without `dims`, or with none in it: all axes.
 *
 * @throws ShapeError if one does not exist, or is given twice.
 */
export function toAxes(
  op: string,
  dims: number | readonly number[] | undefined,
  ndim: number,
): readonly number[] {
  if (dims === undefined) return firstAxes(ndim);
  if (!isList(dims)) {
    const axis = toAxis(op, dims, ndim);
    return ndim === 0 ? none : [axis];
  }
  if (dims.length === 0) return firstAxes(ndim);
  const axes = dims.map((dim) => toAxis(op, dim, ndim)).sort((a, b) => a - b);
  for (let i = 1; i < axes.length; i++) {
    if (axes[i] === axes[i - 1]) {
      throw shapeError`${op}: axes must be distinct, got ${show(dims)}.`;
    }
  }
  return ndim === 0 ? none : axes;
}

const none: readonly number[] = [];
const counted: (readonly number[])[] = [];

/** `[0, 1, …, count - 1]`, always the same array. */
export function firstAxes(count: number): readonly number[] {
  counted[count] ??= Array.from({ length: count }, (_, axis) => axis);
  return counted[count];
}
