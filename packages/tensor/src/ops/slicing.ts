import { pad as padNode } from "@gradloom/engine";
import { engine } from "../engine.ts";
import { argumentError, shapeError, show } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { literal, record } from "../record.ts";
import { axisOf, isCount, listOf, requireCount, resized, spliced, toAxis } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** What `slice` takes. */
export interface SliceOptions {
  /** Takes each `step`-th element. Default: 1. */
  readonly step?: number;
}

/**
 * The part from `start` up to but without `end` along an axis, as `x[start:end:step]` in Python: negative positions
 * count from the end, those beyond are cut off. It is a view.
 *
 * @throws ArgumentError if `step` is not a positive integer: for a negative one, use `flip` first.
 */
export function slice(
  x: Tensor,
  dim: number,
  start: number = 0,
  end: number = Infinity,
  options: SliceOptions = {},
): Tensor {
  const { step = 1 } = checkOptions("slice", options, { step: true });
  const axis = axisOf("slice", x, dim);
  requireCount("slice", "step", step, 1);
  const size = x.shape[axis];
  const from = toPosition(start, size);
  const length = Math.max(0, Math.ceil((toPosition(end, size) - from) / step));
  return strided("slice", x, axis, from, step, length);
}

/** A position in `[0, size]`, as Python's slices understand it. */
function toPosition(position: number, size: number): number {
  if (!Number.isInteger(position) && Math.abs(position) !== Infinity) {
    throw argumentError`slice: positions must be integers, got ${position}.`;
  }
  return Math.min(Math.max(position < 0 ? position + size : position, 0), size);
}

/** The part of `length` elements from `start` along an axis. */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  const axis = axisOf("narrow", x, dim);
  const size = x.shape[axis];
  const from = start < 0 ? start + size : start;
  if (!isCount(from) || !isCount(length) || from + length > size) {
    throw shapeError`narrow: the part must be inside the axis, got start ${start} and length ${length} for size ${size}.`;
  }
  return strided("narrow", x, axis, from, 1, length);
}

/** The part at one index of an axis, which vanishes from the shape. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  const axis = axisOf("select", x, dim);
  const size = x.shape[axis];
  if (!isCount(index, -size) || index >= size) {
    throw shapeError`select: the index must be in [${-size}, ${size - 1}], got ${index} for axis ${axis} of ${x.shape}.`;
  }
  const found = strided("select", x, axis, index < 0 ? index + size : index, 1, 1);
  return found.reshape(spliced(x.shape, axis, 1));
}

/** `length` elements of an axis, from `start` on, `step` apart. The positions are valid. */
function strided(
  op: string,
  x: Tensor,
  axis: number,
  start: number,
  step: number,
  length: number,
): Tensor {
  const size = x.shape[axis];
  if (start === 0 && step === 1 && length === size) return x;
  const shape = resized(x.shape, axis, length);
  const starts = along(x, axis, length > 0 ? start : 0);
  const steps = along(x, axis, step, 1);
  return record(
    op,
    engine().slice(x.node, starts, steps, shape),
    [x],
    [(grad) => scatterStrided(grad, axis, start, step, size)],
  );
}

/** Undoes {@link strided}: puts elements back where they were, zeros elsewhere. */
function scatterStrided(
  grad: Tensor,
  axis: number,
  start: number,
  step: number,
  size: number,
): Tensor {
  const length = grad.shape[axis];
  if (length === 0) return padAxis(grad, axis, 0, size);
  let spaced = grad;
  if (step > 1) {
    // Each element gets an axis of its own, is padded there, and the last padding is cut off again.
    const apart = grad.unsqueeze(axis + 1);
    spaced = padAxis(apart, axis + 1, 0, step - 1)
      .flatten(axis, axis + 1)
      .narrow(axis, 0, (length - 1) * step + 1);
  }
  return padAxis(spaced, axis, start, size - start - spaced.shape[axis]);
}

function padAxis(x: Tensor, axis: number, before: number, behind: number): Tensor {
  return padWithZeros(x, along(x, axis, before), along(x, axis, behind));
}

/** A number for each axis: `value` for one, `other` for the rest. */
export function along(x: Tensor, axis: number, value: number, other = 0): readonly number[] {
  return x.shape.map((_, i) => (i === axis ? value : other));
}

/** The inner part, from `starts` on: default, from the first element. */
export function part(x: Tensor, shape: readonly number[], starts: readonly number[] = []): Tensor {
  return shape.reduce((inner, length, axis) => inner.narrow(axis, starts[axis] ?? 0, length), x);
}

/** Adds zeros around: how many before and behind along each axis. */
export function padWithZeros(
  x: Tensor,
  before: readonly number[],
  behind: readonly number[],
): Tensor {
  if (![...before, ...behind].some(Boolean)) return x;
  return record(
    "pad",
    padNode(x.node, before, behind),
    [x],
    [(grad) => part(grad, x.shape, before)],
  );
}

/** What `pad` takes. */
export interface PadOptions {
  /** What is added. Default: 0. */
  readonly value?: number;
}

/**
 * Adds elements around: `[left, right]` of the last axis, then `[…, top, bottom]` of the one before, and so
 * on. Negative numbers cut off.
 *
 * @throws ShapeError if there are not two numbers an axis, or more are cut off than there are.
 */
export function pad(x: Tensor, padding: readonly number[], options: PadOptions = {}): Tensor {
  const { value = 0 } = options;
  const sides = listOf(padding);
  const ok = sides.every(Number.isInteger) && sides.length % 2 === 0;
  if (!ok || sides.length > 2 * x.ndim) {
    throw shapeError`pad: there must be two integers for each of the last axes, got ${show(sides)} for ${x.shape}.`;
  }
  const [before, behind] = [0, 1].map((side) =>
    x.shape.map((_, axis) => sides[2 * (x.ndim - 1 - axis) + side] ?? 0),
  );
  const sizes = x.shape.map((size, axis) => size - cut(before[axis]) - cut(behind[axis]));
  if (sizes.some((size) => size < 0)) {
    throw shapeError`pad: no more must be cut off than there is, got ${show(sides)} for ${x.shape}.`;
  }
  const inner = part(x, sizes, before.map(cut));
  const added = [before, behind].map((list) => list.map((n) => Math.max(n, 0)));
  const padded = padWithZeros(inner, added[0], added[1]);
  if (value === 0 || padded === inner) return padded;
  const inside = literal(1, inner.to("bool")).expand(inner.shape);
  return padWithZeros(inside, added[0], added[1]).where(padded, value);
}

/** How much a padding takes away. */
function cut(n: number): number {
  return Math.max(-n, 0);
}

/**
 * Reverses the order of the elements along the given axes. It is a view.
 */
export function flip(x: Tensor, dims: number | readonly number[]): Tensor {
  const axes = listOf(dims).map((d) => toAxis("flip", d, x.ndim));
  if (x.ndim === 0 || x.numel === 0 || axes.length === 0) return x;
  const starts = x.shape.map((size, axis) => (axes.includes(axis) ? size - 1 : 0));
  const steps = x.shape.map((_, axis) => (axes.includes(axis) ? -1 : 1));
  return record(
    "flip",
    engine().slice(x.node, starts, steps, x.shape),
    [x],
    [(grad) => grad.flip(axes)],
  );
}
