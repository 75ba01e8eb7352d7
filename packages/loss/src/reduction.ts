import { Module } from "@gradloom/layers";
import {
  ArgumentError,
  checkOptions,
  requireTensor,
  ShapeError,
  type Tensor,
} from "@gradloom/tensor";

/** How the losses of all elements become one: their mean, their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

/** What every criterion takes. */
export interface LossOptions {
  /** Default `'mean'`. */
  readonly reduction?: Reduction;
}

/**
 * For criteria and their functions: refuses options that there are not. A criterion that passes itself on was looked at when it was made.
 *
 * @throws ArgumentError if there is one that is not known.
 */
export function checkLossOptions<Options extends object>(
  op: string,
  options: Options,
  known: Readonly<Record<keyof Options, true>>,
  ...inputs: readonly Tensor[]
): void {
  if (!(options instanceof Module)) checkOptions(op, options, known);
  for (const input of inputs) requireTensor(op, input);
}

/**
 * Reduces losses.
 *
 * @throws ArgumentError if there is no such reduction.
 */
export function reduce(op: string, losses: Tensor, reduction: Reduction = "mean"): Tensor {
  switch (checkReduction(op, reduction)) {
    case "mean":
      return losses.mean();
    case "sum":
      return losses.sum();
    case "none":
      return losses;
  }
}

/**
 * The reduction that was asked for.
 *
 * @throws ArgumentError if there is no such reduction.
 */
export function checkReduction(op: string, reduction: Reduction = "mean"): Reduction {
  if (Object.hasOwn(reductions, reduction)) return reduction;
  throw new ArgumentError(`${op}: reduction must be mean, sum or none, got ${reduction}.`, { op });
}

const reductions: Readonly<Record<Reduction, true>> = { mean: true, sum: true, none: true };

/**
 * Differs from PyTorch, which broadcasts: [32, 1] against [32] would compare each with each.
 *
 * @throws ShapeError if the shapes differ.
 */
export function checkSameShape(op: string, prediction: Tensor, target: Tensor): void {
  const [a, b] = [prediction.shape, target.shape];
  if (a.length === b.length && a.every((size, axis) => size === b[axis])) return;
  throw new ShapeError(
    `${op}: prediction and target must have the same shape, got [${a.join(", ")}] and [${b.join(", ")}]. ` +
      "Use reshape() or expand().",
    { op, shapes: [a, b] },
  );
}
