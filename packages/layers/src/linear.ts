import { checkOptions, ShapeError, type Tensor } from "@gradloom/tensor";
import { checkSize } from "./check.ts";
import { uniform } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of {@link Linear}. */
export interface LinearOptions {
  /** Whether there is a bias. Default true. */
  readonly bias?: boolean;
}

/**
 * Affine map of the last axis, `y = x Wᵀ + b`.
 *
 * - Shape: `x [..., inFeatures] -> [..., outFeatures]`
 * - Parameters: `weight [outFeatures, inFeatures]`, `bias [outFeatures]`
 * - Init: both uniform on ±1/√inFeatures
 * @throws ShapeError if the last size of `x` is not `inFeatures`.
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    checkOptions("Linear", options, { bias: true });
    checkSize("Linear", "inFeatures", inFeatures);
    checkSize("Linear", "outFeatures", outFeatures);
    const { bias = true } = options;
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = new Parameter(uniform([outFeatures, inFeatures], { a: -bound, b: bound }));
    this.bias = bias ? new Parameter(uniform([outFeatures], { a: -bound, b: bound })) : undefined;
  }

  forward(x: Tensor): Tensor {
    if (x.shape.at(-1) !== this.inFeatures) {
      throw new ShapeError(
        `Linear: the last size of x must be inFeatures = ${this.inFeatures}, got [${x.shape.join(", ")}].`,
        { op: "Linear", shapes: [x.shape, this.weight.shape] },
      );
    }
    const y = x.matmul(this.weight.t());
    return this.bias === undefined ? y : y.add(this.bias);
  }

  override describe(): string {
    const { inFeatures, outFeatures, bias } = this;
    return `inFeatures=${inFeatures}, outFeatures=${outFeatures}, bias=${bias !== undefined}`;
  }
}
