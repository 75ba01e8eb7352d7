import { checkSize, Linear, Module, Parameter } from "@gradloom/layers";
import { ArgumentError, checkOptions, randnLike, type Tensor, zeros } from "@gradloom/tensor";

/** Options of {@link TopKRouter}. */
export interface TopKRouterOptions {
  /**
   * Noise on the logits in training, so that each expert is tried now and then. `true`: as much as the router learns
   * (noisy top-k gating, Shazeer et al. 2017). A number: normal noise of this standard deviation. Default false.
   */
  readonly noise?: boolean | number;
  /**
   * Whether the weights of the chosen experts sum to 1. With `topK` 1 the weight is 1 then and nothing that comes
   * behind says which expert would have been better: take `false`, as in the Switch Transformer. Default true.
   */
  readonly normalize?: boolean;
}

/** Which experts were chosen, and how much each counts. */
export interface Choice {
  /** `[rows, topK]`, largest first. */
  readonly weights: Tensor;
  /** The numbers of the experts, int32 `[rows, topK]`. */
  readonly indices: Tensor;
  /** `[rows, numExperts]`, with the noise. */
  readonly logits: Tensor;
}

/**
 * Chooses the `topK` experts with the largest logits, and weighs them: `weights = softmax(topk(logits))`,
 * `logits = x Wᵀ (+ noise)`.
 *
 * With learned noise, in training `logits = x Wᵀ + ε · softplus(x Wₙᵀ)`, `ε` standard normal.
 *
 * - Shape: `x [rows, inputDim] -> weights, indices [rows, topK], logits [rows, numExperts]`
 * - Parameters: `gate.weight [numExperts, inputDim]`; with learned noise `noiseWeight [numExperts, inputDim]`
 * - Init: `gate` as `Linear`; `noiseWeight` 0, so that the noise starts with a standard deviation of ln 2
 * - Paper: Shazeer et al. 2017, section 2.1, https://arxiv.org/abs/1701.06538
 * @throws ArgumentError if a size is not a positive integer, `topK` is more than `numExperts` or the noise is negative.
 *
 * @example
 * ```ts
 * const { weights, indices } = new TopKRouter(64, 8, 2).forward(x);
 * ```
 */
export class TopKRouter extends Module {
  readonly gate: Linear;
  readonly noiseWeight: Parameter | undefined;
  readonly topK: number;
  readonly noise: boolean | number;
  readonly normalize: boolean;

  constructor(inputDim: number, numExperts: number, topK: number, options: TopKRouterOptions = {}) {
    super();
    checkOptions("TopKRouter", options, { noise: true, normalize: true });
    checkSize("TopKRouter", "numExperts", numExperts);
    checkSize("TopKRouter", "topK", topK);
    if (topK > numExperts) {
      throw new ArgumentError(
        `TopKRouter: topK must be at most numExperts = ${numExperts}, got ${topK}.`,
        { op: "TopKRouter" },
      );
    }
    this.gate = new Linear(inputDim, numExperts, { bias: false });
    this.noise = options.noise ?? false;
    if (typeof this.noise !== "boolean" && !(Number.isFinite(this.noise) && this.noise >= 0)) {
      throw new ArgumentError(
        `TopKRouter: noise must be a boolean or a number of at least 0, got ${this.noise}.`,
        { op: "TopKRouter" },
      );
    }
    this.noiseWeight =
      this.noise === true ? new Parameter(zeros([numExperts, inputDim])) : undefined;
    this.topK = topK;
    this.normalize = options.normalize ?? true;
  }

  forward(x: Tensor): Choice {
    const clean = this.gate.forward(x);
    const logits = this.training ? this.disturbed(clean, x) : clean;
    const { values, indices } = logits.topk(this.topK);
    const weights = this.normalize ? values.softmax(-1) : logits.softmax(-1).gather(indices, -1);
    return { weights, indices, logits };
  }

  private disturbed(logits: Tensor, x: Tensor): Tensor {
    const { noise, noiseWeight } = this;
    const deviation =
      noiseWeight === undefined ? Number(noise) : x.matmul(noiseWeight.t()).softplus();
    return deviation === 0 ? logits : logits.add(randnLike(logits).mul(deviation));
  }

  override describe(): string {
    return `topK=${this.topK}, noise=${this.noise}`;
  }
}
