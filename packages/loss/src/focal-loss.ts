import { Buffer, Module } from "@gradloom/layers";
import { ArgumentError, Tensor } from "@gradloom/tensor";
import { classTarget, classWeights } from "./class-target.ts";
import {
  checkLossOptions,
  checkReduction,
  type LossOptions,
  type Reduction,
  reduce,
} from "./reduction.ts";

/** Options of {@link focalLoss}. */
export interface FocalLossOptions extends LossOptions {
  /** How much less easy examples count; with 0 it is the cross-entropy. Default 2. */
  readonly gamma?: number;
  /** How much each class counts: one number for all, or `[C]`. Default 1. */
  readonly alpha?: number | Tensor | undefined;
}

const known = { reduction: true, gamma: true, alpha: true } as const;

/**
 * Cross-entropy that counts examples less which are right already, `−α_y (1 − p_y)^γ log p_y`, with
 * `p` the softmax of the logits.
 *
 * - Shape: `logits [N, C, d1, …]` with class indices `[N, d1, …]`, or `[C]` with `[]`
 * - Paper: Lin et al. 2017, https://arxiv.org/abs/1708.02002
 * @throws ShapeError, DTypeError, IndexError if the target does not fit, as in `nllLoss`;
 *   ArgumentError if `gamma` is negative.
 */
export function focalLoss(logits: Tensor, target: Tensor, options: FocalLossOptions = {}): Tensor {
  checkLossOptions("focalLoss", options, known, logits, target);
  const { gamma = 2, alpha = 1, reduction } = options;
  if (!(gamma >= 0)) {
    throw new ArgumentError(`focalLoss: gamma must be at least 0, got ${gamma}.`, {
      op: "focalLoss",
    });
  }
  const { axis, picked } = classTarget("focalLoss", logits, target);
  const pick = (x: Tensor): Tensor => picked.where(x, 0).sum(axis);
  const logP = pick(logits.logSoftmax(axis)); // [N, d1, …]
  // At p = 1 a power below 1 has no slope; log p is 0 there.
  const distance = logP.expm1().neg().clamp(1e-12);
  const losses = distance.pow(gamma).mul(logP).neg();
  const weight = alpha instanceof Tensor ? pick(classWeights("focalLoss", logits, alpha)) : alpha;
  return reduce("focalLoss", losses.mul(weight), reduction);
}

/** {@link focalLoss} as a module. A tensor `alpha` is a buffer. */
export class FocalLoss extends Module {
  readonly gamma: number;
  readonly alpha: number | Buffer;
  readonly reduction: Reduction;

  constructor(options: FocalLossOptions = {}) {
    super();
    checkLossOptions("FocalLoss", options, known);
    const { gamma = 2, alpha = 1, reduction } = options;
    this.gamma = gamma;
    this.alpha = typeof alpha === "number" ? alpha : new Buffer(alpha);
    this.reduction = checkReduction("FocalLoss", reduction);
  }

  forward(logits: Tensor, target: Tensor): Tensor {
    return focalLoss(logits, target, this);
  }
}
