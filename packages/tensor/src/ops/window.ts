import { affine, type Node } from "@gradloom/engine";
import { argumentError, shapeError, show } from "../errors.ts";
import { requireFloat } from "../promote.ts";
import { formula, record } from "../record.ts";
import { firstAxes, isCount } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** One number for both axes, or one for each. */
export type Pair = number | readonly number[];

/**
 * How windows lie along an axis: tap `k` of window `o` is at position `stride · o + dilation · k - padding`. Positions
 * outside of the axis hold 0.
 */
export interface WindowAxis {
  /** Size of the axis. */
  readonly size: number;
  /** Elements of a window. */
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: number;
  /** How many windows there are. */
  readonly count: number;
}

/** A number for each of `ndim` axes. @throws ArgumentError unless they are whole, and at least `least`. */
export function perAxis(
  op: string,
  name: string,
  value: Pair,
  ndim: number,
  least: number,
): readonly number[] {
  const list = typeof value === "number" ? new Array<number>(ndim).fill(value) : value;
  if (list.length === ndim && list.every((n) => isCount(n, least))) return list;
  throw argumentError`${op}: ${name} must be ${ndim === 1 ? "an integer" : `an integer or ${ndim} of them`}, at least ${least}, got ${typeof value === "number" ? value : show(value)}.`;
}

/** How windows lie, on all axes or on each. */
export interface WindowOptions {
  readonly stride?: Pair | undefined;
  readonly padding?: Pair | undefined;
  readonly dilation?: Pair | undefined;
  readonly ceilMode?: boolean;
}

/** Windows of the given taps: how far apart they and their elements are on each axis. */
export function spacedAxes(
  op: string,
  taps: readonly number[],
  { stride = 1, padding = 0, dilation = 1 }: WindowOptions,
): readonly Omit<WindowAxis, "size" | "count">[] {
  const n = taps.length;
  const strides = perAxis(op, "stride", stride, n, 1);
  const paddings = perAxis(op, "padding", padding, n, 0);
  const dilations = perAxis(op, "dilation", dilation, n, 1);
  return taps.map((count, a) => {
    return { taps: count, stride: strides[a], padding: paddings[a], dilation: dilations[a] };
  });
}

/**
 * The windows of each trailing axis.
 *
 * @throws ShapeError if no window fits.
 */
export function windowAxes(
  op: string,
  sizes: readonly number[],
  taps: readonly number[],
  options: WindowOptions,
): readonly WindowAxis[] {
  return spacedAxes(op, taps, options).map((axis, a) => {
    const { stride, padding, dilation } = axis;
    const size = sizes[a];
    const free = size + 2 * padding - dilation * (axis.taps - 1) - 1;
    let count = Math.floor(free / stride) + 1;
    // A window that ends outside must still start inside, or in the padding before.
    if (options.ceilMode) {
      count = Math.ceil(free / stride) + 1;
      if ((count - 1) * stride >= size + padding) count -= 1;
    }
    if (count < 1) {
      throw shapeError`${op}: the kernel must fit into the padded input, got kernel ${taps} with dilation ${dilation} for input ${sizes} with padding ${padding}.`;
    }
    return { ...axis, size, count };
  });
}

/** @throws ShapeError or DTypeError unless `x` is `[batch, channels, ...]`, or without the batch, with `n` more axes. */
export function requireImages(op: string, x: Tensor, n: number): void {
  requireFloat(op, x);
  if (x.ndim === n + 1 || x.ndim === n + 2) return;
  throw shapeError`${op}: the tensor must be [batch, channels, ...] with ${n} more axes, got ${x.shape}.`;
}

/** Where a view finds its elements along an axis: an offset, then factors of axes of the result. */
type Source = readonly [offset: number, ...(readonly [axis: number, factor: number])[]];

/** A view of trailing axes. Axes of the result are counted from behind the leading ones, which stay as they are. */
function viewTrailing(
  x: Node,
  lead: number,
  sources: readonly Source[],
  sizes: readonly number[],
  lowest = false,
): Node {
  const shape = [...x.shape.slice(0, lead), ...sizes];
  const leading = firstAxes(lead).map((axis): Source => [0, [axis - lead, 1]]);
  const all = [...leading, ...sources];
  const matrix = all.map(([_, ...terms]) => {
    const factors = shape.map(() => 0);
    for (const [axis, factor] of terms) factors[lead + axis] = factor;
    return factors;
  });
  const offsets = all.map(([offset]) => offset);
  return affine(x, offsets, matrix, shape, lowest);
}

/** The windows of the trailing axes, a view: `[..., ...sizes] -> [..., ...taps, ...counts]`; 0, or -∞, around. */
export function windowsNode(x: Node, axes: readonly WindowAxis[], lowest?: boolean): Node {
  const n = axes.length;
  return viewTrailing(
    x,
    x.shape.length - n,
    axes.map(({ stride, dilation, padding }, a) => [-padding, [a, dilation], [n + a, stride]]),
    [...axes.map(({ taps }) => taps), ...axes.map(({ count }) => count)],
    lowest,
  );
}

/**
 * Where the windows of an axis put things: position `stride · q + phase` is reached by the taps `stride · t + phase - lack`,
 * as far as there are such, each from window `q + first - dilation · t`. Only where `stride` or `dilation` is 1.
 */
export interface Phases {
  readonly axis: WindowAxis;
  /** How many taps reach a position at most. */
  readonly taps: number;
  readonly first: number;
  readonly lack: number;
  /** How many `q` there are. */
  readonly count: number;
}

/** All phases of an axis, or one alone, as if it were the first, with no more taps than reach it. */
export function phasesOf(axis: WindowAxis, only?: number): Phases {
  const { size, stride, padding, taps } = axis;
  const start = padding + (only ?? stride - 1);
  const first = Math.floor(start / stride);
  const lack = stride * first - padding - (only ?? 0);
  const reached = Math.max(Math.ceil((taps + lack) / stride), 0);
  return { axis, taps: reached, first, lack, count: Math.ceil(size / stride) };
}

/** `[..., ...counts] -> [..., ...t, ...q]`: the windows that reach each position, see {@link Phases}. A view. */
export function arrivalsNode(y: Node, phases: readonly Phases[]): Node {
  const n = phases.length;
  return viewTrailing(
    y,
    y.shape.length - n,
    phases.map(({ axis, first }, a) => [first, [a, -axis.dilation], [n + a, 1]]),
    [...phases.map(({ taps }) => taps), ...phases.map(({ count }) => count)],
  );
}

/** `[..., ...taps] -> [..., ...phase, ...t]`: the taps by phase, see {@link Phases}. A view. */
export function tapsByPhase(w: Node, phases: readonly Phases[], count?: number): Node {
  const n = phases.length;
  return viewTrailing(
    w,
    w.shape.length - n,
    phases.map(({ axis, lack }, a) => [-lack, [a, 1], [n + a, axis.stride]]),
    [...phases.map(({ axis }) => count ?? axis.stride), ...phases.map(({ taps }) => taps)],
  );
}

/** `[..., ...phase, ...q] -> [..., ...sizes]`: positions in their order. */
export function joinPhases(y: Tensor, phases: readonly Phases[]): Tensor {
  const n = phases.length;
  const lead = y.ndim - 2 * n;
  const order = [...firstAxes(lead)];
  phases.forEach((_, a) => {
    order.push(lead + n + a, lead + a);
  });
  const long = phases.map(({ axis, count }) => axis.stride * count);
  const joined = y.permute(order).reshape([...y.shape.slice(0, lead), ...long]);
  return phases.reduce((part, { axis }, a) => part.narrow(lead + a, 0, axis.size), joined);
}

/**
 * Where stride and dilation are both more than 1, the same windows with stride 1: zeros between those of before. The
 * windows are the last axes of `y`.
 */
export function withoutStride(
  y: Tensor,
  axes: readonly WindowAxis[],
): readonly [Tensor, readonly WindowAxis[]] {
  let spaced = y;
  const first = y.ndim - axes.length;
  const plain = axes.map((axis, a) => {
    const { stride, dilation, count } = axis;
    if (stride === 1 || dilation === 1 || count === 0) return axis;
    const apart = spaced.unsqueeze(first + a + 1);
    const length = (count - 1) * stride + 1;
    spaced = apart
      .pad([...new Array<number>(2 * (apart.ndim - first - a - 2) + 1).fill(0), stride - 1])
      .flatten(first + a, first + a + 1)
      .narrow(first + a, 0, length);
    return { ...axis, stride: 1, count: length };
  });
  return [spaced, plain];
}

/** The windows of the trailing axes, a view: `[..., ...sizes] -> [..., ...taps, ...counts]`. */
export function windows(x: Tensor, axes: readonly WindowAxis[]): Tensor {
  return record("windows", windowsNode(x.node, axes), [x], [(grad) => fold(grad, axes)]);
}

/** The adjoint of {@link windows}: adds each element of a window where it came from. */
export function fold(y: Tensor, axes: readonly WindowAxis[]): Tensor {
  const node = formula(() => folded(y, axes));
  return record("fold", node, [y], [(grad) => windows(grad, axes)]);
}

/** {@link fold} as a sum over the taps that reach each position. */
function folded(y: Tensor, axes: readonly WindowAxis[]): Tensor {
  const n = axes.length;
  const [spaced, plain] = withoutStride(y, axes);
  const phases = plain.map((axis) => phasesOf(axis));
  const reached = viewTrailing(
    spaced.node,
    y.ndim - 2 * n,
    [
      ...phases.map(({ axis, lack }, a): Source => [-lack, [a, 1], [2 * n + a, axis.stride]]),
      ...phases.map(
        ({ axis, first }, a): Source => [first, [n + a, 1], [2 * n + a, -axis.dilation]],
      ),
    ],
    [
      ...phases.map(({ axis }) => axis.stride),
      ...phases.map(({ count }) => count),
      ...phases.map(({ taps }) => taps),
    ],
  ); // [..., ...phase, ...q, ...t]
  const view = record("fold", reached);
  return joinPhases(view.sum(axes.map((_, a) => view.ndim - 1 - a)), phases);
}
