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

/** Options of {@link bceWithLogitsLoss}. */
export interface BCEWithLogitsLossOptions extends LossOptions {
  /** How much each element counts; broadcasts. Default: all the same. */
  readonly weight?: Tensor | undefined;
  /** How much the positive share counts against the negative one; broadcasts. Default 1. */
  readonly posWeight?: Tensor | undefined;
}

const known = { reduction: true, weight: true, posWeight: true } as const;

/**
 * Binary cross-entropy of logits, `posWeight · y · softplus(−x) + (1 − y) · softplus(x)`: exact
 * also where the sigmoid of `x` is 0 or 1 up to rounding.
 *
 * @throws ShapeError if the shapes of logits and target differ.
 */
export function bceWithLogitsLoss(
  logits: Tensor,
  target: Tensor,
  options: BCEWithLogitsLossOptions = {},
): Tensor {
  checkLossOptions("bceWithLogitsLoss", options, known, logits, target);
  const { weight, posWeight, reduction } = options;
  checkSameShape("bceWithLogitsLoss", logits, target);
  const y = posWeight == null ? target : target.mul(posWeight);
  const positive = y.mul(softplus(logits.neg()));
  const negative = target.neg().add(1).mul(softplus(logits));
  const losses = positive.add(negative);
  return reduce("bceWithLogitsLoss", weight == null ? losses : losses.mul(weight), reduction);
}

/** Beyond 40 it is `x` also in float64. PyTorch's threshold of 20 leaves out what float64 can tell. */
function softplus(x: Tensor): Tensor {
  return x.softplus({ threshold: 40 });
}

/** {@link bceWithLogitsLoss} as a module. The weights are buffers. */
export class BCEWithLogitsLoss extends Module {
  readonly weight: Buffer | undefined;
  readonly posWeight: Buffer | undefined;
  readonly reduction: Reduction;

  constructor(options: BCEWithLogitsLossOptions = {}) {
    super();
    checkLossOptions("BCEWithLogitsLoss", options, known);
    const { weight, posWeight } = options;
    this.weight = weight == null ? undefined : new Buffer(weight);
    this.posWeight = posWeight == null ? undefined : new Buffer(posWeight);
    this.reduction = checkReduction("BCEWithLogitsLoss", options.reduction);
  }

  forward(logits: Tensor, target: Tensor): Tensor {
    return bceWithLogitsLoss(logits, target, this);
  }
}
