import { Buffer, Module } from "@gradloom/layers";
import { ArgumentError, DTypeError, type Tensor } from "@gradloom/tensor";
import { classAxis, classWeights } from "./class-target.ts";
import { type NLLLossOptions, weightedNll } from "./nll-loss.ts";
import { checkLossOptions, checkReduction, type Reduction } from "./reduction.ts";

/** Options of {@link crossEntropyLoss}. */
export interface CrossEntropyLossOptions extends NLLLossOptions {
  /** The share of each target that is spread over all classes, in [0, 1]. Default 0. */
  readonly labelSmoothing?: number;
}

const known = {
  reduction: true,
  weight: true,
  ignoreIndex: true,
  labelSmoothing: true,
} as const;

/**
 * Cross-entropy between a softmax of logits and a target, `−Σ_c w[c] · y[c] ·
 * logSoftmax(logits)[c]`.
 *
 * - Shape: `logits [N, C, d1, …]`, or `[C]`. The target is class indices `[N, d1, …]`, or
 *   probabilities in the shape of the logits (floating)
 * - Mean: for class indices the sum divided by the sum of the weights of the targets that count;
 *   for probabilities divided by the number of places
 * - Label smoothing: Szegedy et al. 2015, https://arxiv.org/abs/1512.00567
 * @throws ShapeError, DTypeError if the target does not fit; ArgumentError if `labelSmoothing` is
 *   not in [0, 1]. IndexError if a class index is out of range: at once where the target is at hand,
 *   else when the loss is computed.
 */
export function crossEntropyLoss(
  logits: Tensor,
  target: Tensor,
  options: CrossEntropyLossOptions = {},
): Tensor {
  checkLossOptions("crossEntropyLoss", options, known, logits, target);
  const { labelSmoothing = 0 } = options;
  const op = "crossEntropyLoss";
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`${op}: labelSmoothing must be in [0, 1], got ${labelSmoothing}.`, {
      op,
    });
  }
  const logp = logits.logSoftmax(classAxis(op, logits));
  return areProbabilities(op, logits, target)
    ? withProbabilities(op, logp, target, labelSmoothing, options)
    : weightedNll(op, logp, target, labelSmoothing, options);
}

function areProbabilities(op: string, logits: Tensor, target: Tensor): boolean {
  if (target.shape.join() !== logits.shape.join()) return false;
  if (target.dtype === "float32" || target.dtype === "float64") return true;
  throw new DTypeError(
    `${op}: probabilities must be floating, got ${target.dtype}. Convert them with to("float32").`,
    { op },
  );
}

function withProbabilities(
  op: string,
  logp: Tensor,
  target: Tensor,
  smoothing: number,
  options: CrossEntropyLossOptions,
): Tensor {
  const { weight, reduction = "mean" } = options;
  const axis = classAxis(op, logp);
  const y = smoothing > 0 ? target.mul(1 - smoothing).add(smoothing / logp.shape[axis]) : target;
  const terms = y.mul(logp); // [N, C, d1, …]
  const weighted = weight == null ? terms : terms.mul(classWeights(op, logp, weight));
  switch (checkReduction(op, reduction)) {
    case "none":
      return weighted.sum(axis).neg();
    case "sum":
      return weighted.sum().neg();
    case "mean":
      return weighted.sum().div(-logp.numel / logp.shape[axis]);
  }
}

/** {@link crossEntropyLoss} as a module. The weight is a buffer. */
export class CrossEntropyLoss extends Module {
  readonly weight: Buffer | undefined;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  readonly reduction: Reduction;

  constructor(options: CrossEntropyLossOptions = {}) {
    super();
    checkLossOptions("CrossEntropyLoss", options, known);
    this.weight = options.weight == null ? undefined : new Buffer(options.weight);
    this.ignoreIndex = options.ignoreIndex ?? -100;
    this.labelSmoothing = options.labelSmoothing ?? 0;
    this.reduction = checkReduction("CrossEntropyLoss", options.reduction);
  }

  forward(logits: Tensor, target: Tensor): Tensor {
    return crossEntropyLoss(logits, target, this);
  }
}
