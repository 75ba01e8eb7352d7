import {
  check,
  type DType,
  gather as gatherNode,
  IndexError,
  scatter as scatterNode,
} from "@gradloom/engine";
import { dtypeError, shapeError } from "../errors.ts";
import { requireTensor, toTensor } from "../promote.ts";
import { record } from "../record.ts";
import { resized, toAxis } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { indices } from "./masking.ts";
import { widened } from "./reduction.ts";
import { along, padWithZeros, part } from "./slicing.ts";

/** An index and an axis, in this order or in PyTorch's. */
export type IndexArguments =
  | readonly [index: Tensor, dim: number]
  | readonly [dim: number, index: Tensor];

/** An index, what goes there and an axis, in this order or in PyTorch's. */
export type ScatterArguments<Source> =
  | readonly [index: Tensor, src: Source, dim: number]
  | readonly [dim: number, index: Tensor, src: Source];

function axisLast(args: IndexArguments): readonly [Tensor, number];
function axisLast<S>(args: ScatterArguments<S>): readonly [Tensor, S, number];
function axisLast(args: readonly unknown[]): readonly unknown[] {
  return typeof args[0] === "number" ? [...args.slice(1), args[0]] : args;
}

/**
 * The indices as int32, which are known to be in `0 … size - 1` wherever a result is read: what an operation does
 * with indices from outside before it uses them. Where they are at hand, they are looked at at once; otherwise whatever
 * is computed with them fails.
 *
 * @param op - Who asks, for the message.
 * @param ignored - An index that is allowed all the same, and becomes 0.
 * @throws DTypeError if they are not int32 or uint8. IndexError if one is out of range.
 */
export function checkIndices(op: string, index: Tensor, size: number, ignored?: number): Tensor {
  requireTensor(op, index);
  const { dtype, node } = index;
  requireIntegers(op, dtype);
  const known = node.box?.storage.host ?? [];
  for (let i = 0; i < known.length; i++) {
    const value = known[i];
    if ((value < 0 || value >= size) && value !== ignored) throw new IndexError(op, value, size);
  }
  const int32 = index.to("int32");
  const used = ignored === undefined ? int32 : int32.ne(ignored).where(int32, 0);
  return record(op, check(used.node, size, op));
}

function requireIntegers(op: string, dtype: DType): void {
  if (dtype === "int32" || dtype === "uint8") return;
  throw dtypeError`${op}: indices must be int32 or uint8, got ${dtype}. Convert them with to("int32").`;
}

/** `result[…, i, …] = x[…, index[…, i, …], …]`. The indices are checked; the other sizes are equal. */
export function takeAlong(x: Tensor, index: Tensor, axis: number): Tensor {
  return record(
    "gather",
    gatherNode(x.node, index.node, axis),
    [x],
    [(grad) => addAlong(grad, index, axis, x.shape[axis])],
  );
}

/** The adjoint of {@link takeAlong}: zeros, `size` of them along the axis, to which each element is added at its index. */
export function addAlong(x: Tensor, index: Tensor, axis: number, size: number): Tensor {
  return record(
    "scatterAdd",
    scatterNode("sum", x.node, index.node, axis, size),
    [x],
    [(grad) => takeAlong(grad, index, axis)],
  );
}

/** The tensor and the index with an axis at least, and the axis counted from the front. */
function withAxis(
  op: string,
  tensor: Tensor,
  indices: Tensor,
  dim: number,
): readonly [x: Tensor, index: Tensor, axis: number] {
  const axis = toAxis(op, dim, tensor.ndim);
  requireTensor(op, indices);
  const x = vectorAtLeast(tensor);
  const index = vectorAtLeast(indices);
  const fits = index.ndim === x.ndim && index.shape.every((n, i) => i === axis || n <= x.shape[i]);
  if (!fits) {
    throw shapeError`${op}: the index must have the axes of the tensor, none of them longer but axis ${axis}, got ${indices.shape} for ${tensor.shape}.`;
  }
  return [x, checkIndices(op, index, x.shape[axis]), axis];
}

export function vectorAtLeast(x: Tensor): Tensor {
  return x.ndim === 0 ? x.reshape([1]) : x;
}

/**
 * Elements by their indices along an axis: `result[i, j] = x[index[i, j], j]` for axis 0 of a matrix. PyTorch's order
 * of arguments, `gather(x, dim, index)`, is understood as well, also below.
 *
 * - Shape: the result has that of `index`, which may be smaller than `x` along the other axes
 * - Gradient: that of each result is added where the element came from
 * @throws ShapeError if the index has other axes than `x`, or is larger. DTypeError if it is not of integers. IndexError
 *   if an index is negative or too large: at once where the indices are at hand, else when a result is computed.
 */
export function gather(x: Tensor, ...args: IndexArguments): Tensor {
  const [index, dim] = axisLast(args);
  const [input, checked, axis] = withAxis("gather", x, index, dim);
  const found = takeAlong(shrunk(input, checked, axis), checked, axis);
  return found.reshape(index.shape);
}

/** The part of `x` that an index can reach, whose other sizes are smaller. */
function shrunk(x: Tensor, { shape }: Tensor, axis: number): Tensor {
  return part(x, resized(shape, axis, x.shape[axis]));
}

/** Undoes {@link shrunk}, with zeros. */
function grown(y: Tensor, { shape }: Tensor): Tensor {
  return padWithZeros(
    y,
    shape.map(() => 0),
    shape.map((size, axis) => size - y.shape[axis]),
  );
}

/** The elements of `src` that an index names. */
function sources(op: string, src: Tensor, x: Tensor, index: Tensor): Tensor {
  requireTensor(op, src);
  const given = vectorAtLeast(src);
  if (src.dtype !== x.dtype) {
    throw dtypeError`${op}: dtypes must be equal, got ${src.dtype} for ${x.dtype}. Convert it with to("${x.dtype}").`;
  }
  if (given.ndim !== index.ndim || index.shape.some((size, i) => size > given.shape[i])) {
    throw shapeError`${op}: src must have an element for each index, got ${src.shape} for ${index.shape}.`;
  }
  return part(given, index.shape);
}

/**
 * `x` with other elements at indices along an axis: `result[index[i, j], j] = src[i, j]` for axis 0 of a matrix. Where
 * several go to one place, the last one wins (in PyTorch it is left open which).
 *
 * - Shape: `index` may be smaller than `x` along the other axes, and than `src`, which may be a number
 * - Gradient: to `src` where it won, to `x` elsewhere. Differs from PyTorch: those that lost get none
 * @throws As {@link gather}; ShapeError or DTypeError if `src` is smaller than `index`, or has another dtype than `x`.
 */
export function scatter(x: Tensor, ...args: ScatterArguments<Tensor | number>): Tensor {
  const op = "scatter";
  const [asked, src, dim] = axisLast(args);
  const [input, index, axis] = withAxis(op, x, asked, dim);
  const given = typeof src === "number" ? undefined : sources(op, src, x, index);
  if (index.numel === 0) return given ? scatterAdd(x, asked, given, dim) : x;
  const size = input.shape[axis];
  const length = index.shape[axis];
  // Which element of the index goes to each place, counted from 1 along the axis; 0: none.
  const count = indices(length)
    .add(1)
    .reshape(along(input, axis, length, 1));
  const winner = record(
    op,
    scatterNode("max", count.expand(index.shape).node, index.node, axis, size),
  );
  const source = given && takeAlong(given, winner.sub(1).maximum(0), axis);
  const written = source ? grown(source, input) : toTensor(src, x.dtype);
  return grown(winner.gt(0), input).where(written, input).reshape(x.shape);
}

/**
 * `x` with numbers added at indices along an axis: `result[index[i, j], j] += src[i, j]` for axis 0 of a matrix. The
 * order in which they are added is that of `src`, for any number of threads.
 *
 * - Shape: `index` may be smaller than `x` along the other axes, and than `src`
 * - Gradient: to `x` as it is, to `src` what its place gets
 * @throws As {@link scatter}.
 */
export function scatterAdd(x: Tensor, ...args: ScatterArguments<Tensor>): Tensor {
  const op = "scatterAdd";
  const [indices, src, dim] = axisLast(args);
  const [input, index, axis] = withAxis(op, x, indices, dim);
  const added = addAlong(widened(op, sources(op, src, x, index)), index, axis, input.shape[axis]);
  return widened(op, input).add(grown(added, input)).to(x.dtype).reshape(x.shape);
}

/**
 * The parts of `x` at some indices of an axis, in their order: `[…, n, …] -> [..., index.numel, …]`.
 *
 * @throws ShapeError if the index is not a vector or a scalar; otherwise as {@link gather}.
 */
export function indexSelect(x: Tensor, ...args: IndexArguments): Tensor {
  const [index, dim] = axisLast(args);
  const op = "indexSelect";
  const axis = toAxis(op, dim, x.ndim);
  const input = vectorAtLeast(x);
  if (index.ndim > 1) throw shapeError`${op}: the index must be a vector, got ${index.shape}.`;
  const checked = checkIndices(op, index, input.shape[axis]);
  const shape = resized(input.shape, axis, index.numel);
  const column = checked.reshape(along(input, axis, index.numel, 1));
  const found = takeAlong(input, column.expand(shape), axis);
  return x.ndim === 0 ? found.reshape(index.shape) : found;
}

/**
 * Elements by their positions in row-major order, in the shape of the index. Negative positions count from the end.
 *
 * @throws DTypeError, IndexError as {@link gather}.
 */
export function take(x: Tensor, index: Tensor): Tensor {
  const op = "take";
  const { numel } = x;
  requireTensor(op, index);
  requireIntegers(op, index.dtype);
  const position = index.to("int32").reshape([index.numel]);
  const isFromEnd = position.lt(0).logicalAnd(position.ge(-numel));
  const checked = checkIndices(op, isFromEnd.where(position.add(numel), position), numel);
  return takeAlong(x.reshape([numel]), checked, 0).reshape(index.shape);
}
