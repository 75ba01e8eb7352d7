import { Module } from "@gradloom/layers";
import { ArgumentError, checkOptions, ShapeError, Tensor } from "@gradloom/tensor";

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
): void {
  if (!(options instanceof Module)) checkOptions(op, options, known);
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

/** @throws ArgumentError if one of what a criterion compares is no tensor, but a list of numbers, say. */
export function checkTensors(op: string, ...compared: readonly unknown[]): void {
  for (const x of compared) {
    if (x instanceof Tensor) continue;
    const got = x === Object(x) ? `an ${x?.constructor?.name ?? "object"}` : `${x}`;
    throw new ArgumentError(
      `${op}: what is compared must be tensors, got ${got}. Use tensor(x); with { dtype: "int32" } for class indices.`,
      { op },
    );
  }
}

/**
 * Differs from PyTorch, which broadcasts: [32, 1] against [32] would compare each with each.
 *
 * @throws ArgumentError if one is no tensor. ShapeError if the shapes differ.
 */
export function checkSameShape(op: string, prediction: Tensor, target: Tensor): void {
  checkTensors(op, prediction, target);
  const [a, b] = [prediction.shape, target.shape];
  if (a.length === b.length && a.every((size, axis) => size === b[axis])) return;
  throw new ShapeError(
    `${op}: prediction and target must have the same shape, got [${a.join(", ")}] and [${b.join(", ")}]. ` +
      "Use reshape() or expand().",
    { op, shapes: [a, b] },
  );
}
