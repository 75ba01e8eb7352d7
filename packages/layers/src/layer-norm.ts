import { checkOptions, ones, type Tensor, zeros } from "@gradloom/tensor";
import { checkFinite, checkShape } from "./check.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of {@link LayerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Whether there are a weight and a bias. Default true. */
  readonly elementwiseAffine?: boolean;
  /** Whether there is a bias, if there is a weight. Default true. */
  readonly bias?: boolean;
}

/**
 * Normalises each example over its last axes, `y = (x − mean) / √(var + eps) · weight + bias`. The
 * variance is that of the values themselves (divided by n).
 *
 * - Shape: `x [..., ...shape] -> [..., ...shape]`
 * - Parameters: `weight` and `bias` of that shape. Init: 1 and 0
 * - Paper: Ba et al. 2016, https://arxiv.org/abs/1607.06450
 * @throws ShapeError if the last sizes of `x` are not `shape`.
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;

  constructor(shape: number | readonly number[], options: LayerNormOptions = {}) {
    super();
    checkOptions("LayerNorm", options, { eps: true, elementwiseAffine: true, bias: true });
    this.normalizedShape = checkShape("LayerNorm", "shape", shape);
    this.eps = options.eps ?? 1e-5;
    checkFinite("LayerNorm", "eps", this.eps);
    const { elementwiseAffine = true, bias = true } = options;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape)) : undefined;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros(this.normalizedShape)) : undefined;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return x.layerNorm(this.normalizedShape, { weight, bias, eps });
  }

  override describe(): string {
    return `[${this.normalizedShape.join(", ")}], eps=${this.eps}`;
  }
}
