import { Module } from "@gradloom/layers";
import { ArgumentError, type Tensor } from "@gradloom/tensor";
import { MoE } from "./moe.ts";

/** How evenly experts are used. */
export interface LoadStatistics {
  /** The part of all choices that each expert got; they sum to 1. */
  readonly fractions: readonly number[];
  /** The largest of them, in multiples of what each would get if all got as many: from 1 to the number of experts. */
  readonly imbalance: number;
  /** The entropy of the fractions as a part of the largest possible: 1 if all are used alike, 0 if only one is. */
  readonly entropy: number;
  /** How many experts were never chosen. */
  readonly unused: number;
}

/**
 * How evenly experts are used, from how often each was chosen: a routing's `load`, or a sum of such.
 *
 * @throws ArgumentError if there are no choices.
 *
 * @example
 * ```ts
 * loadStatistics(await moe.lastRouting.load.data()).imbalance; // 1: all alike
 * ```
 */
export function loadStatistics(load: ArrayLike<number>): LoadStatistics {
  const counts = Array.from(load);
  const total = counts.reduce((a, b) => a + b, 0);
  if (!(total > 0)) {
    throw new ArgumentError(`loadStatistics: there must be choices, got [${counts.join(", ")}].`, {
      op: "loadStatistics",
    });
  }
  const fractions = counts.map((count) => count / total);
  const entropy = fractions.reduce((sum, p) => (p === 0 ? sum : sum - p * Math.log(p)), 0);
  return {
    fractions,
    imbalance: Math.max(...fractions) * counts.length,
    entropy: counts.length === 1 ? 1 : entropy / Math.log(counts.length),
    unused: counts.filter((count) => count === 0).length,
  };
}

/**
 * The sum of the `auxLoss` of all mixtures in a model that has just run, to be added to its loss.
 *
 * @throws ArgumentError if there are none. StateError if one of them has not run yet.
 *
 * @example
 * ```ts
 * const loss = crossEntropy(gpt.forward(ids), targets).add(auxLossOf(gpt));
 * ```
 */
export function auxLossOf(model: Module): Tensor {
  if (!(model instanceof Module)) {
    throw new ArgumentError(`auxLossOf: the model must be a module, got ${String(model)}.`, {
      op: "auxLossOf",
    });
  }
  const mixtures = model.modules().filter((module) => module instanceof MoE);
  if (mixtures.length === 0) {
    throw new ArgumentError(
      `auxLossOf: the model must contain a MoE, got ${model.constructor.name} without one.`,
      { op: "auxLossOf" },
    );
  }
  return mixtures.map(({ auxLoss }) => auxLoss).reduce((a, b) => a.add(b));
}
