import { Module } from "@gradloom/layers";
import { ArgumentError, type Tensor } from "@gradloom/tensor";
import {
  checkLossOptions,
  checkReduction,
  checkSameShape,
  type LossOptions,
  type Reduction,
  reduce,
} from "./reduction.ts";

/** Options of {@link huberLoss}. */
export interface HuberLossOptions extends LossOptions {
  /** Where the square goes over into a line. Default 1. */
  readonly delta?: number;
}

const huberOptions = { reduction: true, delta: true } as const;

/**
 * Quadratic for small errors and linear for large ones: with `d = |prediction − target|` it is `d²
 * / 2` where `d ≤ delta`, else `delta · (d − delta / 2)`.
 *
 * - Paper: Huber 1964, https://doi.org/10.1214/aoms/1177703732
 * @throws ShapeError if the shapes differ. ArgumentError if `delta` is not above 0.
 */
export function huberLoss(
  prediction: Tensor,
  target: Tensor,
  options: HuberLossOptions = {},
): Tensor {
  checkLossOptions("huberLoss", options, huberOptions, prediction, target);
  const { delta = 1, reduction } = options;
  checkSameShape("huberLoss", prediction, target);
  if (!(delta > 0)) {
    throw new ArgumentError(`huberLoss: delta must be above 0, got ${delta}.`, { op: "huberLoss" });
  }
  return reduce("huberLoss", huber(prediction, target, delta), reduction);
}

/** {@link huberLoss} as a module. */
export class HuberLoss extends Module {
  readonly reduction: Reduction;
  readonly delta: number;

  constructor(options: HuberLossOptions = {}) {
    super();
    checkLossOptions("HuberLoss", options, huberOptions);
    this.reduction = checkReduction("HuberLoss", options.reduction);
    this.delta = options.delta ?? 1;
  }

  forward(prediction: Tensor, target: Tensor): Tensor {
    return huberLoss(prediction, target, this);
  }
}

/** Options of {@link smoothL1Loss}. */
export interface SmoothL1LossOptions extends LossOptions {
  /** Where the square goes over into a line. With 0 it is the L1 loss. Default 1. */
  readonly beta?: number;
}

const smoothL1Options = { reduction: true, beta: true } as const;

/**
 * The L1 loss with a smooth tip: with `d = |prediction − target|` it is `d² / (2 · beta)` where `d
 * ≤ beta`, else `d − beta / 2`. It is the Huber loss divided by `beta`.
 *
 * - Paper: Girshick 2015, https://arxiv.org/abs/1504.08083
 * @throws ShapeError if the shapes differ. ArgumentError if `beta` is negative.
 */
export function smoothL1Loss(
  prediction: Tensor,
  target: Tensor,
  options: SmoothL1LossOptions = {},
): Tensor {
  checkLossOptions("smoothL1Loss", options, smoothL1Options, prediction, target);
  const { beta = 1, reduction } = options;
  checkSameShape("smoothL1Loss", prediction, target);
  if (!(beta >= 0)) {
    throw new ArgumentError(`smoothL1Loss: beta must be at least 0, got ${beta}.`, {
      op: "smoothL1Loss",
    });
  }
  const losses =
    beta === 0 ? prediction.sub(target).abs() : huber(prediction, target, beta).div(beta);
  return reduce("smoothL1Loss", losses, reduction);
}

/** {@link smoothL1Loss} as a module. */
export class SmoothL1Loss extends Module {
  readonly reduction: Reduction;
  readonly beta: number;

  constructor(options: SmoothL1LossOptions = {}) {
    super();
    checkLossOptions("SmoothL1Loss", options, smoothL1Options);
    this.reduction = checkReduction("SmoothL1Loss", options.reduction);
    this.beta = options.beta ?? 1;
  }

  forward(prediction: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(prediction, target, this);
  }
}

/** Both cases at once: with `m = min(d, delta)` it is `m · (d − m / 2)`. */
function huber(prediction: Tensor, target: Tensor, delta: number): Tensor {
  const d = prediction.sub(target).abs();
  const m = d.minimum(delta);
  return m.mul(d.sub(m.mul(0.5)));
}
