import { Buffer, Module } from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";
import { classTarget, classWeights } from "./class-target.ts";
import { checkLossOptions, checkReduction, type LossOptions, type Reduction } from "./reduction.ts";

/** Options of {@link nllLoss}. */
export interface NLLLossOptions extends LossOptions {
  /** `[C]`: how much each class counts. Default: all the same. */
  readonly weight?: Tensor | undefined;
  /** A target that does not count. Default −100. */
  readonly ignoreIndex?: number;
}

const known = { reduction: true, weight: true, ignoreIndex: true } as const;

/**
 * Negative log likelihood of the target classes, `−w[y] · logProbabilities[y]`. The mean is
 * weighted: the sum divided by the sum of the weights `w[y]` that count.
 *
 * - Shape: `logProbabilities [N, C, d1, …]` with `target [N, d1, …]`, or `[C]` with `[]`
 * @throws ShapeError, DTypeError if the target does not fit. IndexError if a class index is out of range:
 *   at once where the target is at hand, else when the loss is computed.
 */
export function nllLoss(
  logProbabilities: Tensor,
  target: Tensor,
  options: NLLLossOptions = {},
): Tensor {
  checkLossOptions("nllLoss", options, known, logProbabilities, target);
  return weightedNll("nllLoss", logProbabilities, target, 0, options);
}

/**
 * The same with a share `smoothing` of each target spread over all classes:
 * `−(1 − s) · w[y] · logp[y] − s / C · Σ_c w[c] · logp[c]`.
 */
export function weightedNll(
  op: string,
  logp: Tensor,
  target: Tensor,
  smoothing: number,
  options: NLLLossOptions,
): Tensor {
  const { weight, ignoreIndex = -100, reduction = "mean" } = options;
  const { axis, picked } = classTarget(op, logp, target, ignoreIndex);
  const kept = target.to("int32").ne(ignoreIndex); // [N, d1, …]
  const w = weight == null ? undefined : classWeights(op, logp, weight);
  const weighted = w === undefined ? logp : logp.mul(w);

  // Choosing, not multiplying by 0 and 1: a class with probability 0 has the log probability −∞.
  let losses = picked.where(weighted, 0).sum(axis).neg(); // [N, d1, …]
  if (smoothing > 0) {
    const spread = weighted.sum(axis).div(-logp.shape[axis]);
    losses = losses.mul(1 - smoothing).add(spread.mul(smoothing));
  }
  losses = kept.where(losses, 0);

  switch (checkReduction(op, reduction)) {
    case "none":
      return losses;
    case "sum":
      return losses.sum();
    case "mean": {
      const share = w === undefined ? kept.to(logp.dtype) : picked.where(w, 0).sum(axis);
      return losses.sum().div(kept.where(share, 0).sum());
    }
  }
}

/** {@link nllLoss} as a module. The weight is a buffer. */
export class NLLLoss extends Module {
  readonly weight: Buffer | undefined;
  readonly ignoreIndex: number;
  readonly reduction: Reduction;

  constructor(options: NLLLossOptions = {}) {
    super();
    checkLossOptions("NLLLoss", options, known);
    this.weight = options.weight == null ? undefined : new Buffer(options.weight);
    this.ignoreIndex = options.ignoreIndex ?? -100;
    this.reduction = checkReduction("NLLLoss", options.reduction);
  }

  forward(logProbabilities: Tensor, target: Tensor): Tensor {
    return nllLoss(logProbabilities, target, this);
  }
}
