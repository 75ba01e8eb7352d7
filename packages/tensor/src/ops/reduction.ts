import { isFloat, type Node, type ReduceOp, reduce, reshape } from "@gradloom/engine";
import { argumentError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { requireFloat, requireTensor } from "../promote.ts";
import { formula, given, literal, record } from "../record.ts";
import { firstAxes, sizeOf, toAxes } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { shifted } from "./scan.ts";

/** One axis or several, counted from the end if negative. */
export type Axes = number | readonly number[];

/** What reductions take. */
export interface ReduceOptions {
  /** Keeps the reduced axes, with size 1. Default: false. */
  readonly keepdim?: boolean | undefined;
}

/** The option that keeps the reduced axes. */
export const kept = { keepdim: true };

/** `shape` with the given axes made 1. */
export function keptShape(shape: readonly number[], axes: readonly number[]): readonly number[] {
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

/** Reduces in the engine, and keeps the axes if asked to. */
export function reduceNode(
  op: ReduceOp,
  x: Tensor,
  axes: readonly number[],
  options: ReduceOptions,
): Node {
  checkOptions(op, options, kept);
  const node = reduce(op, x.node, axes);
  return options.keepdim ? reshape(node, keptShape(x.shape, axes)) : node;
}

/** Repeats what was reduced along the axes, so that it has the shape of `x` again. */
export function spread(reduced: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  return reduced.reshape(keptShape(x.shape, axes)).expand(x.shape);
}

/** Sums and products of narrow integers are int32. */
export function widened(op: string, x: Tensor): Tensor {
  requireTensor(op, x);
  return isFloat(x.dtype) ? x : x.to("int32");
}

/** The sum over the given axes, or all. Of booleans: how many are true. */
export function sum(input: Tensor, dim?: Axes, options: ReduceOptions = {}): Tensor {
  return total("sum", input, dim, options, (grad) => grad);
}

/** The product over the given axes, or all. The gradient is right also where elements are 0. */
export function prod(input: Tensor, dim?: Axes, options: ReduceOptions = {}): Tensor {
  return total("prod", input, dim, options, (grad, x, axes) => grad.mul(otherFactors(x, axes)));
}

/** `slope` makes the gradient of each element from that of what it is in. */
function total(
  op: "sum" | "prod",
  input: Tensor,
  dim: Axes | undefined,
  options: ReduceOptions,
  slope: (grad: Tensor, x: Tensor, axes: readonly number[]) => Tensor,
): Tensor {
  const x = widened(op, input);
  const axes = toAxes(op, dim, x.ndim);
  if (axes.length === 0) return x;
  const node = reduceNode(op, x, axes, options);
  return record(op, node, [x], [(grad) => slope(spread(grad, x, axes), x, axes)]);
}

/** For each element, the product of all others along the axes: of those before it and those behind it. */
function otherFactors(x: Tensor, axes: readonly number[]): Tensor {
  if (x.numel === 0) return x;
  const order = [...firstAxes(x.ndim).filter((axis) => !axes.includes(axis)), ...axes];
  const apart = x.permute(order);
  const rows = apart.flatten(x.ndim - axes.length); // [..., n]
  const before = productsBefore(rows);
  const behind = productsBefore(rows.flip(-1)).flip(-1);
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return before.mul(behind).reshape(apart.shape).permute(inverse);
}

/** The products of all elements before each one along the last axis: 1 for the first. */
function productsBefore(x: Tensor): Tensor {
  return shifted(x.cumprod(-1), -1, 1, 1);
}

/**
 * The arithmetic mean over the given axes, or all.
 *
 * @throws DTypeError for integers.
 */
export function mean(x: Tensor, dim?: Axes, options: ReduceOptions = {}): Tensor {
  requireFloat("mean", x);
  const axes = toAxes("mean", dim, x.ndim);
  const count = given(countOf(x, axes), x.dtype);
  const node = formula(() => x.sum(axes, options).div(count));
  return record("mean", node, [x], [(grad) => spread(grad.div(count), x, axes)]);
}

/** How many elements one result is made of. */
function countOf(x: Tensor, axes: readonly number[]): number {
  return sizeOf(axes.map((axis) => x.shape[axis]));
}

/** What `var` and `std` take. */
export interface VarianceOptions extends ReduceOptions {
  /** The divisor is the number of elements minus this. Default: 1, which makes `var` unbiased. */
  readonly correction?: number;
}

/** `Σ (x - mean)² / (n - correction)` over the given axes, or all. */
export function variance(x: Tensor, dim?: Axes, options: VarianceOptions = {}): Tensor {
  return varianceOf("var", x, dim, options);
}

function varianceOf(
  op: string,
  x: Tensor,
  dim: Axes | undefined,
  options: VarianceOptions,
): Tensor {
  requireFloat(op, x);
  const { correction = 1, keepdim } = checkOptions(op, options, {
    correction: true,
    keepdim: true,
  });
  const axes = toAxes(op, dim, x.ndim);
  const centred = x.sub(x.mean(axes, kept));
  const divisor = Math.max(0, countOf(x, axes) - correction);
  return centred.square().sum(axes, { keepdim }).div(given(divisor, x.dtype));
}

/** `√var`. Where it is 0, so is its slope. */
export function std(x: Tensor, dim?: Axes, options: VarianceOptions = {}): Tensor {
  return root(varianceOf("std", x, dim, options), 2);
}

/** `x^(1/p)` whose slope at 0 is taken as 0. */
function root(x: Tensor, p: number): Tensor {
  const node = formula(() => (p === 2 ? x.sqrt() : x.pow(1 / p)));
  const zero = literal(0, x);
  return record(
    "norm",
    node,
    [x],
    [(grad, y) => x.eq(zero).where(zero, grad.mul(y).div(x.mul(literal(p, x))))],
  );
}

/** What `norm` takes. */
export interface NormOptions extends ReduceOptions {
  /** Which norm. `Infinity`: the largest size; 0: how many are not 0. Default: 2. */
  readonly p?: number;
}

/** `(Σ |x|^p)^(1/p)` over the given axes, or all. Its slope at the zero vector is taken as 0. */
export function norm(x: Tensor, dim?: Axes, options: NormOptions = {}): Tensor {
  requireFloat("norm", x);
  const { p = 2, keepdim } = checkOptions("norm", options, { p: true, keepdim: true });
  const axes = toAxes("norm", dim, x.ndim);
  switch (p) {
    case 0:
      return x.ne(literal(0, x)).to(x.dtype).sum(axes, { keepdim });
    case 1:
      return x.abs().sum(axes, { keepdim });
    case 2:
      return root(x.square().sum(axes, { keepdim }), 2);
    case Infinity:
      return x.abs().amax(axes, { keepdim });
    case -Infinity:
      return x.abs().amin(axes, { keepdim });
    default:
      if (Number.isNaN(p)) throw argumentError`norm: p must be a number, got NaN.`;
      return root(powersOf(x, p).sum(axes, { keepdim }), p);
  }
}

/** `|x|^p`, whose slope at 0 is taken as 0. */
function powersOf(x: Tensor, p: number): Tensor {
  const isZero = x.eq(literal(0, x));
  const others = isZero.where(literal(1, x), x).abs().pow(p);
  return isZero.where(literal(p > 0 ? 0 : Infinity, x), others);
}

/** Whether any element along the given axes, or at all, is not 0: bool. */
export function any(x: Tensor, dim?: Axes, options: ReduceOptions = {}): Tensor {
  return x
    .to("bool")
    .sum(toAxes("any", dim, x.ndim), options)
    .to("bool");
}

/** Whether all elements along the given axes, or at all, are not 0: bool. */
export function all(x: Tensor, dim?: Axes, options: ReduceOptions = {}): Tensor {
  return x
    .logicalNot()
    .any(toAxes("all", dim, x.ndim), options)
    .logicalNot();
}

/** `log Σ e^x` over the given axes, or all, without overflow. */
export function logsumexp(x: Tensor, dim?: Axes, options: ReduceOptions = {}): Tensor {
  requireFloat("logsumexp", x);
  const axes = toAxes("logsumexp", dim, x.ndim);
  const zero = literal(0, x);
  const largest = countOf(x, axes) === 0 ? zero : x.detach().amax(axes, kept);
  // An infinite maximum must not be subtracted from itself.
  const shift = largest.isfinite().where(largest, zero);
  const total = x.sub(shift).exp().sum(axes, kept).log().add(shift);
  return options.keepdim === true ? total : total.squeeze(axes);
}
