import { Buffer, checkFinite, checkSize, Module, Parameter } from "@gradloom/layers";
import { checkOptions, noGrad, ones, ShapeError, type Tensor, zeros } from "@gradloom/tensor";

/** Options of {@link BatchNorm1d} and {@link BatchNorm2d}. */
export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** How much of a batch goes into the running statistics; `null`: they are the mean over all batches. Default 0.1. */
  readonly momentum?: number | null;
  /** Whether there are `weight` and `bias`. Default true. */
  readonly affine?: boolean;
  /** Whether there are running statistics; without, those of the batch count in evaluation as well. Default true. */
  readonly trackRunningStats?: boolean;
}

/** `y = (x − mean) / √(var + eps) · weight + bias` for each channel. */
abstract class BatchNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;
  readonly runningMean: Buffer | undefined;
  readonly runningVar: Buffer | undefined;
  readonly numBatchesTracked: Buffer | undefined;

  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super();
    const name = this.constructor.name;
    checkOptions(name, options, {
      eps: true,
      momentum: true,
      affine: true,
      trackRunningStats: true,
    });
    checkSize(name, "numFeatures", numFeatures);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    checkFinite(name, "eps", eps);
    if (momentum !== null) checkFinite(name, "momentum", momentum);
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures])) : undefined;
    this.bias = affine ? new Parameter(zeros([numFeatures])) : undefined;
    this.runningMean = trackRunningStats ? new Buffer(zeros([numFeatures])) : undefined;
    this.runningVar = trackRunningStats ? new Buffer(ones([numFeatures])) : undefined;
    this.numBatchesTracked = trackRunningStats
      ? new Buffer(zeros([], { dtype: "int32" }))
      : undefined;
  }

  /** Numbers of axes that `x` may have. */
  protected abstract readonly ndims: readonly number[];

  forward(x: Tensor): Tensor {
    const { numFeatures, runningMean, runningVar, numBatchesTracked, weight, bias, eps } = this;
    const name = this.constructor.name;
    if (!this.ndims.includes(x.ndim) || x.shape[1] !== numFeatures) {
      const form = name === "BatchNorm2d" ? "height, width" : "length";
      throw new ShapeError(
        `${name}: x must be [batch, ${numFeatures}, ${form}], got [${x.shape.join(", ")}].`,
        { op: name, shapes: [x.shape] },
      );
    }
    const training = this.training || runningMean === undefined;
    const tracks = this.training && numBatchesTracked !== undefined;
    if (tracks) noGrad(() => numBatchesTracked.assign(numBatchesTracked.add(1)));
    const momentum = this.momentum ?? 0;
    if (this.momentum !== null || !tracks) {
      return x.batchNorm(runningMean, runningVar, { weight, bias, eps, momentum, training });
    }
    // The mean over all batches: each counts as much as all before together would let it.
    const before = [runningMean, runningVar].map((statistic) => statistic?.detach().clone());
    const y = x.batchNorm(runningMean, runningVar, { weight, bias, eps, momentum: 1, training });
    noGrad(() => {
      [runningMean, runningVar].forEach((statistic, i) => {
        const old = before[i];
        if (!statistic || !old) return;
        const share = numBatchesTracked.to(old.dtype).reciprocal();
        statistic.assign(old.add(statistic.sub(old).mul(share)));
      });
    });
    return y;
  }

  override describe(): string {
    return `${this.numFeatures}, eps=${this.eps}, momentum=${this.momentum}`;
  }
}

/**
 * Normalises each channel of a batch: `y = (x − mean) / √(var + eps) · weight + bias`. In training with the statistics of the batch,
 * which move the running ones towards them (the variance unbiased); in evaluation with the running ones.
 *
 * - Shape: `x [batch, numFeatures]` or `[batch, numFeatures, length]`; the result has the same
 * - Parameters: `weight` (ones), `bias` (zeros) `[numFeatures]`
 * - Buffers: `runningMean`, `runningVar`, `numBatchesTracked`
 * - Paper: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
 * @throws ShapeError if `x` does not fit, or there is one value a channel in training.
 */
export class BatchNorm1d extends BatchNorm {
  protected get ndims(): readonly number[] {
    return [2, 3];
  }
}

/**
 * {@link BatchNorm1d} for pictures.
 *
 * - Shape: `x [batch, numFeatures, height, width]`; the result has the same
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
 */
export class BatchNorm2d extends BatchNorm {
  protected get ndims(): readonly number[] {
    return [4];
  }
}
