import { Buffer, Module } from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";
import {
  checkLossOptions,
  checkReduction,
  checkSameShape,
  type LossOptions,
  type Reduction,
  reduce,
} from "./reduction.ts";

/** Options of {@link bceLoss}. */
export interface BCELossOptions extends LossOptions {
  /** How much each element counts; broadcasts. Default: all the same. */
  readonly weight?: Tensor | undefined;
}

const known = { reduction: true, weight: true } as const;

/**
 * Binary cross-entropy of probabilities, `−(y · log p + (1 − y) · log(1 − p))`. As in PyTorch a
 * logarithm is at least −100, and the slope is `(p − y) / max(p · (1 − p), 1e-12)`. From logits,
 * `bceWithLogitsLoss` is more accurate.
 *
 * @throws ShapeError if the shapes differ.
 */
export function bceLoss(
  probabilities: Tensor,
  target: Tensor,
  options: BCELossOptions = {},
): Tensor {
  checkLossOptions("bceLoss", options, known, probabilities, target);
  checkSameShape("bceLoss", probabilities, target);
  const p = probabilities;
  // Where p is 0 or 1 up to rounding, a logarithm has no slope to go on with. There the value is
  // a constant, and the slope is that of a steep parabola, which adds nothing to the value.
  const atEdge = p.mul(p.neg().add(1)).detach().lt(1e-12);
  const parabola = p.sub(target.detach()).square().mul(0.5e12);
  const edge = crossEntropy(p.detach(), target).add(parabola.sub(parabola.detach()));
  const losses = atEdge.where(edge, crossEntropy(atEdge.where(0.5, p), target));
  const weighted = options.weight == null ? losses : losses.mul(options.weight);
  return reduce("bceLoss", weighted, options.reduction);
}

function crossEntropy(p: Tensor, y: Tensor): Tensor {
  const logP = p.log().clamp(-100);
  const logQ = p.neg().log1p().clamp(-100);
  return y.mul(logP).add(y.neg().add(1).mul(logQ)).neg();
}

/** {@link bceLoss} as a module. The weight is a buffer. */
export class BCELoss extends Module {
  readonly weight: Buffer | undefined;
  readonly reduction: Reduction;

  constructor(options: BCELossOptions = {}) {
    super();
    checkLossOptions("BCELoss", options, known);
    this.weight = options.weight == null ? undefined : new Buffer(options.weight);
    this.reduction = checkReduction("BCELoss", options.reduction);
  }

  forward(probabilities: Tensor, target: Tensor): Tensor {
    return bceLoss(probabilities, target, this);
  }
}
