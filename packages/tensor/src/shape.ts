import { shapeError, show } from "./errors.ts";

/** How many elements a shape has. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i];
  return size;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * An axis counted from the front. A tensor without axes is treated as one with a single axis.
 *
 * @throws ShapeError if there is no such axis.
 */
export function toAxis(op: string, dim: number, ndim: number): number {
  const axes = Math.max(ndim, 1);
  if (!Number.isInteger(dim) || dim < -axes || dim >= axes) {
    throw shapeError`${op}: the axis must be in [${-axes}, ${axes - 1}], got ${dim}.`;
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
  if (dims === undefined || (typeof dims === "object" && dims.length === 0)) {
    return firstAxes(ndim);
  }
  if (typeof dims === "number") {
    const axis = toAxis(op, dims, ndim);
    return ndim === 0 ? none : [axis];
  }
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
