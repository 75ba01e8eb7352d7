import { Module } from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";
import {
  checkLossOptions,
  checkReduction,
  checkSameShape,
  type Reduction,
  reduce,
} from "./reduction.ts";

/** Options of {@link klDivLoss}. */
export interface KLDivLossOptions {
  /**
   * `'batchmean'` divides the sum by the size of the first axis, as the divergence is defined.
   * Default `'mean'`, which divides by the number of elements, as in PyTorch.
   */
  readonly reduction?: Reduction | "batchmean";
  /** Whether the target is given as log probabilities, too. Default false. */
  readonly logTarget?: boolean;
}

const known = { reduction: true, logTarget: true } as const;

/**
 * Kullback-Leibler divergence of a target `y` from log probabilities, `y · (log y −
 * logProbabilities)`; where `y` is 0, so is `y · log y`.
 *
 * @throws ShapeError if the shapes differ.
 */
export function klDivLoss(
  logProbabilities: Tensor,
  target: Tensor,
  options: KLDivLossOptions = {},
): Tensor {
  checkLossOptions("klDivLoss", options, known, logProbabilities, target);
  const { reduction = "mean", logTarget = false } = options;
  checkSameShape("klDivLoss", logProbabilities, target);
  const losses = logTarget
    ? target.exp().mul(target.sub(logProbabilities))
    : target.mul(target.gt(0).where(target, 1).log().sub(logProbabilities));
  if (reduction !== "batchmean") return reduce("klDivLoss", losses, reduction);
  return losses.sum().div(losses.shape[0] ?? 1);
}

/** {@link klDivLoss} as a module. */
export class KLDivLoss extends Module {
  readonly reduction: Reduction | "batchmean";
  readonly logTarget: boolean;

  constructor(options: KLDivLossOptions = {}) {
    super();
    checkLossOptions("KLDivLoss", options, known);
    const { reduction = "mean" } = options;
    this.reduction = reduction === "batchmean" ? reduction : checkReduction("KLDivLoss", reduction);
    this.logTarget = options.logTarget ?? false;
  }

  forward(logProbabilities: Tensor, target: Tensor): Tensor {
    return klDivLoss(logProbabilities, target, this);
  }
}
