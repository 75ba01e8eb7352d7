import { Module } from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";
import { classTarget } from "./class-target.ts";
import {
  checkLossOptions,
  checkReduction,
  type LossOptions,
  type Reduction,
  reduce,
} from "./reduction.ts";

/** Options of {@link diceLoss}. The reduction is over the classes. */
export interface DiceLossOptions extends LossOptions {
  /** Added above and below, so that a class which is nowhere costs nothing. Default 1. */
  readonly smooth?: number;
}

const known = { reduction: true, smooth: true } as const;

/**
 * How badly the predicted regions overlap with the true ones, for segmentation. With `p` the
 * softmax of the logits and `y` the target as 0 and 1, it is `1 − (2 Σ p y + smooth) / (Σ p + Σ y +
 * smooth)` for each class; the sums are over batch and pixels.
 *
 * - Shape: `logits [N, C, d1, …]` with class indices `[N, d1, …]`
 * - Paper: Milletari et al. 2016, https://arxiv.org/abs/1606.04797
 * @throws ShapeError, DTypeError, IndexError if the target does not fit, as in `nllLoss`.
 */
export function diceLoss(logits: Tensor, target: Tensor, options: DiceLossOptions = {}): Tensor {
  checkLossOptions("diceLoss", options, known, logits, target);
  const { smooth = 1, reduction } = options;
  const { axis, picked } = classTarget("diceLoss", logits, target);
  const p = logits.softmax(axis);
  const y = picked.to(p.dtype);
  const others = p.shape.map((_, i) => i).filter((i) => i !== axis);
  const total = (x: Tensor): Tensor => (others.length === 0 ? x : x.sum(others)); // [C]
  const overlap = total(p.mul(y)).mul(2).add(smooth);
  const losses = overlap
    .div(total(p).add(total(y)).add(smooth))
    .neg()
    .add(1);
  return reduce("diceLoss", losses, reduction);
}

/** {@link diceLoss} as a module. */
export class DiceLoss extends Module {
  readonly smooth: number;
  readonly reduction: Reduction;

  constructor(options: DiceLossOptions = {}) {
    super();
    checkLossOptions("DiceLoss", options, known);
    this.smooth = options.smooth ?? 1;
    this.reduction = checkReduction("DiceLoss", options.reduction);
  }

  forward(logits: Tensor, target: Tensor): Tensor {
    return diceLoss(logits, target, this);
  }
}
