import type { DType } from "./dtype.ts";
import type { ElementOp, ReduceOp } from "./element-op.ts";
import { shapeError } from "./errors.ts";
import { Node } from "./node.ts";
import { positionOf } from "./remember.ts";
import { resized } from "./shape.ts";

const none: readonly number[] = [];
const noNodes: readonly Node[] = [];

/** A literal, part of the structure: changing it makes another plan. */
export function constant(value: number, dtype: DType): Node {
  return new Node("constant", noNodes, [value], none, dtype);
}

/** A number given at each run. A function is asked at each run. */
export function scalar(value: number | (() => number), dtype: DType): Node {
  return new Node("scalar", noNodes, none, none, dtype, value);
}

/** `[0, 1, …, length - 1]` of int32. */
export function iota(length: number): Node {
  return new Node("iota", noNodes, none, [length], "int32");
}

/** The shape that shapes broadcast to, or `undefined` if they do not. */
export function broadcastShapes(
  shapes: readonly (readonly number[])[],
): readonly number[] | undefined {
  let result = shapes[0];
  for (let s = 1; s < shapes.length; s++) {
    const joined = broadcastTwo(result, shapes[s]);
    if (!joined) return undefined;
    result = joined;
  }
  return result;
}

function broadcastTwo(a: readonly number[], b: readonly number[]): readonly number[] | undefined {
  if (a === b || b.length === 0) return a;
  if (a.length === 0) return b;
  if (a.length === b.length) {
    let same = true;
    for (let i = 0; i < a.length; i++) same &&= a[i] === b[i];
    if (same) return a;
  }
  const ndim = Math.max(a.length, b.length);
  const shape = new Array<number>(ndim);
  for (let i = 1; i <= ndim; i++) {
    const left = i <= a.length ? a[a.length - i] : 1;
    const right = i <= b.length ? b[b.length - i] : 1;
    if (left !== right && left !== 1 && right !== 1) return undefined;
    shape[ndim - i] = left === 1 ? right : left;
  }
  return shape;
}

/**
 * An element operation; the inputs broadcast. `dtype` is the result's.
 *
 * @param name - What to call it in an error.
 * @throws ShapeError if the shapes do not broadcast.
 */
export function element(
  op: ElementOp,
  inputs: readonly Node[],
  dtype: DType,
  attributes: readonly number[] = none,
  name: string = op,
): Node {
  let shape = inputs[0].shape;
  for (let i = 1; i < inputs.length; i++) {
    const joined = broadcastTwo(shape, inputs[i].shape);
    if (!joined) {
      const shapes = inputs.map((input) => input.shape).filter(({ length }) => length > 0);
      throw shapeError`${name}: shapes must broadcast, got ${shapes}. From the last axis on, sizes must be equal or one of them 1.`;
    }
    shape = joined;
  }
  return new Node(op, inputs, attributes, shape, dtype);
}

/** The same elements in row-major order, in another shape of the same size. */
export function reshape(x: Node, shape: readonly number[]): Node {
  return new Node("reshape", [x], none, shape, x.dtype);
}

/** Axis `i` of the result is axis `axes[i]` of `x`. */
export function permute(x: Node, axes: readonly number[]): Node {
  const shape = axes.map((axis) => x.shape[axis]);
  return new Node("permute", [x], axes, shape, x.dtype);
}

/** Repeats axes of size 1, and adds axes in front, up to `shape`. */
export function expand(x: Node, shape: readonly number[]): Node {
  return new Node("expand", [x], none, shape, x.dtype);
}

/**
 * Element `i` of an axis of the result is element `start + i · step` of `x`. Steps may be negative. All
 * elements that it names must exist.
 */
export function slice(
  x: Node,
  starts: readonly number[],
  steps: readonly number[],
  shape: readonly number[],
): Node {
  return new Node("slice", [x], [...starts, ...steps], shape, x.dtype);
}

/** Entry `i` along the first axis: `[n, ...] -> [...]`. */
export function entryOf(x: Node, i: number): Node {
  const [, ...shape] = x.shape;
  const starts = [i, ...shape.map(() => 0)];
  const steps = x.shape.map(() => 1);
  return reshape(slice(x, starts, steps, [1, ...shape]), shape);
}

/** Adds zeros before and behind, along each axis. */
export function pad(x: Node, before: readonly number[], behind: readonly number[]): Node {
  const shape = x.shape.map((size, axis) => before[axis] + size + behind[axis]);
  return new Node("pad", [x], [...before, ...behind], shape, x.dtype);
}

/** Joins along an existing axis; the other sizes and the dtypes are equal. */
export function cat(inputs: readonly Node[], axis: number): Node {
  const shape = [...inputs[0].shape];
  for (let i = 1; i < inputs.length; i++) shape[axis] += inputs[i].shape[axis];
  return new Node("cat", inputs, [axis], shape, inputs[0].dtype);
}

/** Combines the elements along `axes`, which vanish from the shape. Axes are sorted and distinct. */
export function reduce(op: ReduceOp, x: Node, axes: readonly number[]): Node {
  const shape = x.shape.filter((_, axis) => !axes.includes(axis));
  const dtype = op === "argmax" || op === "argmin" ? "int32" : x.dtype;
  return new Node(`reduce:${op}`, [x], axes, shape, dtype);
}

/** `[...batch, m, k] × [...batch, k, n] → [...batch, m, n]`, with equal batch sizes and dtypes. */
export function matmul(a: Node, b: Node): Node {
  const shape = [...a.shape.slice(0, -1), b.shape[b.shape.length - 1]];
  return new Node("matmul", [a, b], none, shape, a.dtype);
}

/**
 * Products of groups of rows, or of terms, with `bounds` as in a kernel's `ProductGroups`, of float32. Along rows each row is multiplied by the matrix of its group,
 * `[m, k] × [groups, k, n] → [m, n]`; along terms, `[m, k] × [k, n] → [groups, m, n]`.
 */
export function groupedMatmul(along: "rows" | "terms", a: Node, b: Node, bounds: Node): Node {
  const groups = bounds.shape[0] - 1;
  const [m, n] = [a.shape[0], b.shape[b.shape.length - 1]];
  const inputs = [a, b].map((x) => expand(x, [groups, ...x.shape.slice(-2)]));
  const isRows = along === "rows";
  const shape = isRows ? [m, n] : [groups, m, n];
  return new Node("matmul", [...inputs, bounds], [isRows ? 0 : 1], shape, a.dtype);
}

/**
 * A view: element `o` of the result is element `offsets + matrix · o` of `x`, or 0 where `x` has none. The windows of a
 * convolution are one: along an axis, `position = start + stride · window + dilation · tap`.
 *
 * @param matrix - For each axis of `x`: a factor for each axis of the result.
 * @param lowest - Whether it is -∞ where `x` has no element.
 */
export function affine(
  x: Node,
  offsets: readonly number[],
  matrix: readonly (readonly number[])[],
  shape: readonly number[],
  lowest: boolean = false,
): Node {
  return new Node("affine", [x], [...offsets, ...matrix.flat(), Number(lowest)], shape, x.dtype);
}

/** What an `affine` view with these attributes gives where there is no element. */
export function outsideOf(attributes: readonly number[]): number {
  return attributes[attributes.length - 1] ? -Infinity : 0;
}

const operationNames: string[] = [];

/** The name of an operation that checks indices, by the number that `check` gave it. */
export function operationName(number: number): string {
  return operationNames[number];
}

/**
 * The same indices, all of which must be at least 0 and less than `size`: whatever runs with others fails with an
 * `IndexError`.
 *
 * @param op - The name of the operation, for the error.
 */
export function check(index: Node, size: number, op: string): Node {
  const number = positionOf(operationNames, op);
  return new Node("check", [index], [size, number], index.shape, "int32");
}

/**
 * `result[…, i, …] = x[…, index[…, i, …], …]` along an axis; the sizes of the other axes are equal. The indices have been
 * checked.
 */
export function gather(x: Node, index: Node, axis: number): Node {
  return new Node("gather", [x, index], [axis], index.shape, x.dtype);
}

/**
 * The adjoint of `gather`: zeros with `size` positions along the axis, into which each element of `x` is combined at its
 * index, in order. The indices have been checked.
 */
export function scatter(
  combine: "sum" | "max",
  x: Node,
  index: Node,
  axis: number,
  size: number,
): Node {
  const shape = resized(x.shape, axis, size);
  return new Node(`scatter:${combine}`, [x, index], [axis, size], shape, x.dtype);
}

/** Sums or products of all elements up to each one along an axis. */
export function scan(reduce: "sum" | "prod", x: Node, axis: number): Node {
  return new Node(`scan:${reduce}`, [x], [axis], x.shape, x.dtype);
}

/**
 * The positions (int32) of the first `count` elements along an axis in sorted order. Equal elements stay in order; NaN
 * is greater than all others.
 */
export function sort(x: Node, axis: number, count: number, descending: boolean): Node {
  const shape = resized(x.shape, axis, count);
  return new Node("sort", [x], [axis, descending ? 1 : 0], shape, "int32");
}
