import { Module } from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";
import {
  checkLossOptions,
  checkReduction,
  checkSameShape,
  type LossOptions,
  type Reduction,
  reduce,
} from "./reduction.ts";

const known = { reduction: true } as const;

/**
 * Mean squared error, `(prediction − target)²`.
 *
 * @throws ShapeError if the shapes differ.
 */
export function mseLoss(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkLossOptions("mseLoss", options, known, prediction, target);
  checkSameShape("mseLoss", prediction, target);
  return reduce("mseLoss", prediction.sub(target).square(), options.reduction);
}

/** {@link mseLoss} as a module. */
export class MSELoss extends Module {
  readonly reduction: Reduction;

  constructor(options: LossOptions = {}) {
    super();
    checkLossOptions("MSELoss", options, known);
    this.reduction = checkReduction("MSELoss", options.reduction);
  }

  forward(prediction: Tensor, target: Tensor): Tensor {
    return mseLoss(prediction, target, this);
  }
}
