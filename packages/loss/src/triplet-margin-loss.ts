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

/** Options of {@link tripletMarginLoss}. */
export interface TripletMarginLossOptions extends LossOptions {
  /** How much farther the negative must be. Default 1. */
  readonly margin?: number;
  /** Which norm measures distances. Default 2. */
  readonly p?: number;
  /** Added to each difference, so that the norm has a slope. Default 1e-6. */
  readonly eps?: number;
  /** Takes the distance from the positive to the negative if that is shorter. Default false. */
  readonly swap?: boolean;
}

const known = {
  reduction: true,
  margin: true,
  p: true,
  eps: true,
  swap: true,
} as const;

/**
 * The positive must be nearer to the anchor than the negative, by a margin:
 * `max(0, d(anchor, positive) − d(anchor, negative) + margin)`.
 *
 * - Shape: all three `[N, D]` or `[D]`
 * - Paper: Balntas et al. 2016, https://bmva-archive.org.uk/bmvc/2016/papers/paper119
 * @throws ShapeError if the shapes differ.
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginLossOptions = {},
): Tensor {
  checkLossOptions("tripletMarginLoss", options, known, anchor, positive, negative);
  const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction } = options;
  checkSameShape("tripletMarginLoss", anchor, positive);
  checkSameShape("tripletMarginLoss", anchor, negative);
  const distance = (a: Tensor, b: Tensor): Tensor => a.sub(b).add(eps).norm(-1, { p });
  const near = distance(anchor, positive);
  const direct = distance(anchor, negative);
  const far = swap ? direct.minimum(distance(positive, negative)) : direct;
  return reduce("tripletMarginLoss", near.sub(far).add(margin).clamp(0), reduction);
}

/** {@link tripletMarginLoss} as a module. */
export class TripletMarginLoss extends Module {
  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;
  readonly reduction: Reduction;

  constructor(options: TripletMarginLossOptions = {}) {
    super();
    checkLossOptions("TripletMarginLoss", options, known);
    this.margin = options.margin ?? 1;
    this.p = options.p ?? 2;
    this.eps = options.eps ?? 1e-6;
    this.swap = options.swap ?? false;
    this.reduction = checkReduction("TripletMarginLoss", options.reduction);
  }

  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return tripletMarginLoss(anchor, positive, negative, this);
  }
}
