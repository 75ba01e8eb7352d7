import {
  expand as expandNode,
  permute as permuteNode,
  reshape as reshapeNode,
} from "@gradloom/engine";
import { shapeError, show } from "../errors.ts";
import { record } from "../record.ts";
import {
  firstAxes,
  isCount,
  listOf,
  requireCount,
  sameShape,
  sizeOf,
  spliced,
  toAxis,
} from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * The same elements in row-major order, in another shape. One size may be -1: what is left.
 *
 * @throws ShapeError if the number of elements differs.
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const target = completeShape("reshape", x.shape, listOf(shape));
  if (sameShape(target, x.shape)) return x;
  return record("reshape", reshapeNode(x.node, target), [x], [(grad) => grad.reshape(x.shape)]);
}

/** Replaces -1 by what is left of the elements. */
function completeShape(
  op: string,
  from: readonly number[],
  shape: readonly number[],
): readonly number[] {
  let known = 1;
  let open = -1;
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis];
    if (size === -1 && open === -1) open = axis;
    else if (isCount(size)) known *= size;
    else {
      throw shapeError`${op}: sizes must be whole numbers, at most one of them -1, got ${shape}.`;
    }
  }
  const numel = sizeOf(from);
  if (open === -1 && known === numel) return shape;
  if (open !== -1 && known > 0 && numel % known === 0) {
    return shape.map((size, axis) => (axis === open ? numel / known : size));
  }
  throw shapeError`${op}: the number of elements must stay the same, got ${from} for ${shape}.`;
}

/** Joins the axes from `startDim` to `endDim` into one. */
export function flatten(x: Tensor, startDim: number = 0, endDim: number = -1): Tensor {
  const start = toAxis("flatten", startDim, x.ndim);
  const end = toAxis("flatten", endDim, x.ndim);
  if (start > end) {
    throw shapeError`flatten: startDim must not be behind endDim, got ${startDim} and ${endDim}.`;
  }
  const count = end + 1 - start;
  return x.reshape(spliced(x.shape, start, count, sizeOf(x.shape.slice(start, end + 1))));
}

/** Splits an axis into several, whose sizes multiply to its own; one may be -1. */
export function unflatten(x: Tensor, dim: number, sizes: readonly number[]): Tensor {
  const axis = toAxis("unflatten", dim, x.ndim);
  const complete = completeShape("unflatten", [x.shape[axis]], listOf(sizes));
  return x.reshape(spliced(x.shape, axis, 1, ...complete));
}

/** Drops axes of size 1: the given ones if they have that size, or all. */
export function squeeze(x: Tensor, dim?: number | readonly number[]): Tensor {
  const axes =
    dim === undefined ? firstAxes(x.ndim) : listOf(dim).map((d) => toAxis("squeeze", d, x.ndim));
  return x.reshape(x.shape.filter((size, axis) => size !== 1 || !axes.includes(axis)));
}

/** Adds an axis of size 1 in front of the axis that is now `dim`; -1 adds it at the end. */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  const axis = toAxis("unsqueeze", dim, x.ndim + 1);
  return x.reshape(spliced(x.shape, axis, 0, 1));
}

/**
 * Reorders the axes: axis `i` of the result is axis `dims[i]` of `x`.
 *
 * @throws ShapeError unless each axis is named once.
 */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
  const axes = listOf(dims).map((dim) => toAxis("permute", dim, x.ndim));
  if (axes.length !== x.ndim || new Set(axes).size !== axes.length) {
    throw shapeError`permute: each of the ${x.ndim} axes must be named once, got ${show(listOf(dims))} for ${x.shape}.`;
  }
  if (axes.every((axis, i) => axis === i)) return x;
  return record(
    "permute",
    permuteNode(x.node, axes),
    [x],
    [(grad) => grad.permute(axes.map((_, i) => axes.indexOf(i)))],
  );
}

/** Exchanges two axes. */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  const first = toAxis("transpose", dim0, x.ndim);
  const second = toAxis("transpose", dim1, x.ndim);
  if (x.ndim === 0 || first === second) return x;
  const axes = [...firstAxes(x.ndim)];
  axes[first] = second;
  axes[second] = first;
  return record(
    "transpose",
    permuteNode(x.node, axes),
    [x],
    [(grad) => grad.transpose(first, second)],
  );
}

/**
 * The transpose of a matrix; a vector or a scalar stays as it is.
 *
 * @throws ShapeError for more than two axes.
 */
export function t(x: Tensor): Tensor {
  if (x.ndim > 2) {
    throw shapeError`t: the tensor must have at most two axes, got ${x.shape}. Use transpose(dim0, dim1).`;
  }
  return transpose(x, 0, -1);
}

/**
 * Repeats axes of size 1 up to `shape`, and adds axes in front. A size of -1 stays as it is. It is a view.
 *
 * @throws ShapeError if another axis would change.
 */
export function expand(x: Tensor, shape: readonly number[]): Tensor {
  const sizes = listOf(shape);
  const added = sizes.length - x.ndim;
  const target = sizes.map((size, axis) =>
    size === -1 && axis >= added ? x.shape[axis - added] : size,
  );
  const fits =
    added >= 0 &&
    target.every(
      (size, axis) =>
        isCount(size) &&
        (axis < added || x.shape[axis - added] === 1 || x.shape[axis - added] === size),
    );
  if (!fits) {
    throw shapeError`expand: repeated axes must have size 1, got ${x.shape} for ${sizes}.`;
  }
  if (sameShape(target, x.shape)) return x;
  return record("expand", expandNode(x.node, target), [x], [(grad) => grad]);
}

/** Lays copies side by side: `repeats[i]` of them along axis `i`; more entries than axes add axes in front. */
export function repeat(x: Tensor, repeats: readonly number[]): Tensor {
  const counts = listOf(repeats);
  for (const count of counts) requireCount("repeat", "repeats", count, 0);
  const added = counts.length - x.ndim;
  if (added < 0) {
    throw shapeError`repeat: there must be a number for each axis, got ${show(counts)} for ${x.shape}.`;
  }
  const sizes = [...new Array<number>(added).fill(1), ...x.shape];
  const apart = sizes.flatMap((size) => [1, size]);
  const repeated = sizes.flatMap((size, axis) => [counts[axis], size]);
  return x
    .reshape(apart)
    .expand(repeated)
    .reshape(sizes.map((size, axis) => size * counts[axis]));
}

/** Repeats each element `repeats` times along an axis; without one, of the flattened tensor. */
export function repeatInterleave(x: Tensor, repeats: number, dim?: number): Tensor {
  requireCount("repeatInterleave", "repeats", repeats, 0);
  if (dim === undefined) return repeatInterleave(x.reshape([-1]), repeats, 0);
  const axis = toAxis("repeatInterleave", dim, x.ndim);
  const size = x.shape[axis] ?? 1;
  return x
    .reshape(spliced(x.shape, axis, 1, size, 1))
    .expand(spliced(x.shape, axis, 1, size, repeats))
    .reshape(spliced(x.shape, axis, 1, size * repeats));
}

/** {@link reshape} by another name: no view needs a copy here, so there is nothing that one can do and not the other. */
export function view(x: Tensor, shape: readonly number[]): Tensor {
  return reshape(x, shape);
}
