import { engine } from "../engine.ts";
import { argumentError, describe, shapeError, show } from "../errors.ts";
import { requireOneOf } from "../options.ts";
import { promote, requireTensor } from "../promote.ts";
import { record } from "../record.ts";
import { axisOf, isCount, listOf, requireCount, resized, sameShape, toAxis } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Joins tensors along an axis; the other sizes must be equal. Dtypes are promoted.
 *
 * @throws ShapeError if sizes differ. ArgumentError without tensors.
 */
export function cat(tensors: readonly Tensor[], dim: number = 0): Tensor {
  const first = requireSome("cat", tensors);
  const axis = axisOf("cat", first, dim);
  for (const { shape } of tensors) {
    if (!sameShape(resized(shape, axis, first.shape[axis]), first.shape)) {
      throw shapeError`cat: sizes must be equal except along axis ${axis}, got ${first.shape} and ${shape}.`;
    }
  }
  const dtype = tensors.map((x) => x.dtype).reduce(promote);
  const inputs = tensors.map((x) => x.to(dtype));
  if (inputs.length === 1) return first;
  const node = engine().cat(
    inputs.map((x) => x.node),
    axis,
  );
  let start = 0;
  const gradients = inputs.map((x) => {
    const from = start;
    start += x.shape[axis];
    return (grad: Tensor) => grad.narrow(axis, from, x.shape[axis]);
  });
  return record("cat", node, inputs, gradients);
}

/**
 * Joins tensors of one shape along a new axis.
 *
 * @throws ShapeError if shapes differ. ArgumentError without tensors.
 */
export function stack(tensors: readonly Tensor[], dim: number = 0): Tensor {
  const first = requireSome("stack", tensors);
  const axis = toAxis("stack", dim, first.ndim + 1);
  for (const { shape } of tensors) {
    if (sameShape(shape, first.shape)) continue;
    throw shapeError`stack: shapes must be equal, got ${first.shape} and ${shape}.`;
  }
  return cat(
    tensors.map((x) => x.unsqueeze(axis)),
    axis,
  );
}

function requireSome(op: string, tensors: readonly Tensor[]): Tensor {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw argumentError`${op}: there must be a list of tensors, got ${describe(tensors)}.`;
  }
  for (const x of tensors) requireTensor(op, x);
  return tensors[0];
}

/**
 * Cuts an axis into parts of the given size, the last maybe smaller; or into parts of the given sizes.
 *
 * @throws ArgumentError if sizes are not positive, or do not add up.
 */
export function split(x: Tensor, sizes: number | readonly number[], dim: number = 0): Tensor[] {
  const axis = axisOf("split", x, dim);
  const size = x.shape[axis];
  const parts = typeof sizes === "number" ? equalParts(size, sizes) : listOf(sizes);
  if (parts.reduce((a, b) => a + b, 0) !== size || !parts.every((n) => isCount(n))) {
    throw shapeError`split: sizes must add up to that of axis ${axis}, got ${show(parts)} for ${size}.`;
  }
  let start = 0;
  return parts.map((length) => {
    const from = start;
    start += length;
    return x.narrow(axis, from, length);
  });
}

/** Cuts an axis into `chunks` parts, the last maybe smaller, or into fewer if it is short but not empty. */
export function chunk(x: Tensor, chunks: number, dim: number = 0): Tensor[] {
  requireCount("chunk", "chunks", chunks, 1);
  const axis = axisOf("chunk", x, dim);
  const size = x.shape[axis];
  return x.split(size === 0 ? Array(chunks).fill(0) : Math.ceil(size / chunks), axis);
}

/** One tensor for each index of an axis, without the axis. */
export function unbind(x: Tensor, dim: number = 0): Tensor[] {
  const axis = axisOf("unbind", x, dim);
  return Array.from({ length: x.shape[axis] }, (_, index) => x.select(axis, index));
}

function equalParts(size: number, part: number): readonly number[] {
  requireCount("split", "the size", part, 1);
  const count = Math.max(1, Math.ceil(size / part));
  return Array.from({ length: count }, (_, i) => Math.min(part, size - i * part));
}

/**
 * Moves elements along axes; those that leave at the end come back at the front. Without axes, in row-major order.
 *
 * @throws ArgumentError unless there is a shift for each axis.
 */
export function roll(
  x: Tensor,
  shifts: number | readonly number[],
  dims?: number | readonly number[],
): Tensor {
  if (dims === undefined) return roll(x.flatten(), shifts, 0).reshape(x.shape);
  const by = listOf(shifts);
  const along = listOf(dims);
  if (by.length !== along.length || !by.every(Number.isInteger)) {
    throw argumentError`roll: there must be an integer for each axis, got ${show(by)} for ${show(along)}.`;
  }
  return along.reduce((result, dim, i) => rollAxis(result, by[i], axisOf("roll", x, dim)), x);
}

function rollAxis(x: Tensor, shift: number, axis: number): Tensor {
  const size = x.shape[axis];
  const front = size === 0 ? 0 : ((shift % size) + size) % size;
  if (front === 0) return x;
  return cat([x.narrow(axis, size - front, front), x.narrow(axis, 0, size - front)], axis);
}

/**
 * The coordinates of a grid: tensor `i` holds the values of vector `i`, repeated along all other axes.
 *
 * @throws ShapeError if an input has more than one axis.
 */
export function meshgrid(
  vectors: readonly Tensor[],
  options: { readonly indexing?: "ij" | "xy" } = {},
): Tensor[] {
  const { indexing = "ij" } = options;
  requireOneOf("meshgrid", "indexing", indexing, ["ij", "xy"]);
  requireSome("meshgrid", vectors);
  for (const { shape } of vectors) {
    if (shape.length < 2) continue;
    throw shapeError`meshgrid: inputs must be vectors, got ${shape}.`;
  }
  const grid = vectors.map((x) => x.numel);
  const coordinates = vectors.map((x, i) =>
    x.reshape(grid.map((size, axis) => (axis === i ? size : 1))).expand(grid),
  );
  const swap = indexing === "xy" && vectors.length > 1;
  return swap ? coordinates.map((x) => x.transpose(0, 1)) : coordinates;
}
