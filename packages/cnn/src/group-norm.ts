import { checkFinite, checkSize, Module, Parameter } from "@gradloom/layers";
import { ArgumentError, checkOptions, ones, type Tensor, zeros } from "@gradloom/tensor";

/** Options of {@link GroupNorm}. */
export interface GroupNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Whether there are `weight` and `bias`. Default true. */
  readonly affine?: boolean;
}

/**
 * Normalises each group of channels of each example: `y = (x − mean) / √(var + eps) · weight + bias`. The same in training and
 * evaluation, for any size of batches.
 *
 * - Shape: `x [batch, numChannels, ...]`; the result has the same
 * - Parameters: `weight` (ones), `bias` (zeros) `[numChannels]`
 * - Paper: Wu and He 2018, https://arxiv.org/abs/1803.08494
 * @throws ArgumentError if the groups do not divide the channels.
 */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;

  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}) {
    super();
    checkOptions("GroupNorm", options, { eps: true, affine: true });
    checkSize("GroupNorm", "numGroups", numGroups);
    checkSize("GroupNorm", "numChannels", numChannels);
    if (numChannels % numGroups !== 0) {
      throw new ArgumentError(
        `GroupNorm: numGroups must divide numChannels, got ${numGroups} for ${numChannels}.`,
        { op: "GroupNorm" },
      );
    }
    const { eps = 1e-5, affine = true } = options;
    checkFinite("GroupNorm", "eps", eps);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = affine ? new Parameter(ones([numChannels])) : undefined;
    this.bias = affine ? new Parameter(zeros([numChannels])) : undefined;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return x.groupNorm(this.numGroups, { weight, bias, eps });
  }

  override describe(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${this.eps}`;
  }
}
