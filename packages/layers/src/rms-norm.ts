import { checkOptions, ones, type Tensor } from "@gradloom/tensor";
import { checkFinite, checkShape } from "./check.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of {@link RMSNorm}. */
export interface RMSNormOptions {
  /** Added to the mean square. Default: the machine epsilon of the dtype of `x`. */
  readonly eps?: number;
  /** Whether there is a weight. Default true. */
  readonly elementwiseAffine?: boolean;
}

/**
 * Divides each example by its root mean square over its last axes, `y = x / √(mean(x²) + eps) ·
 * weight`.
 *
 * - Shape: `x [..., ...shape] -> [..., ...shape]`
 * - Parameters: `weight` of that shape. Init: 1
 * - Paper: Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467
 * @throws ShapeError if the last sizes of `x` are not `shape`.
 */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number | undefined;
  readonly weight: Parameter | undefined;

  constructor(shape: number | readonly number[], options: RMSNormOptions = {}) {
    super();
    checkOptions("RMSNorm", options, { eps: true, elementwiseAffine: true });
    this.normalizedShape = checkShape("RMSNorm", "shape", shape);
    this.eps = options.eps;
    if (this.eps !== undefined) checkFinite("RMSNorm", "eps", this.eps);
    const { elementwiseAffine = true } = options;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape)) : undefined;
  }

  forward(x: Tensor): Tensor {
    const { weight, eps } = this;
    return x.rmsNorm(this.normalizedShape, eps === undefined ? { weight } : { weight, eps });
  }

  override describe(): string {
    return `[${this.normalizedShape.join(", ")}], eps=${this.eps ?? "default"}`;
  }
}
