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
 * Mean absolute error, `|prediction − target|`.
 *
 * @throws ShapeError if the shapes differ.
 */
export function l1Loss(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkLossOptions("l1Loss", options, known, prediction, target);
  checkSameShape("l1Loss", prediction, target);
  return reduce("l1Loss", prediction.sub(target).abs(), options.reduction);
}

/** {@link l1Loss} as a module. */
export class L1Loss extends Module {
  readonly reduction: Reduction;

  constructor(options: LossOptions = {}) {
    super();
    checkLossOptions("L1Loss", options, known);
    this.reduction = checkReduction("L1Loss", options.reduction);
  }

  forward(prediction: Tensor, target: Tensor): Tensor {
    return l1Loss(prediction, target, this);
  }
}
