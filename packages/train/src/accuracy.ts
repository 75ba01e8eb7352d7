import { ArgumentError, checkOptions, stack, type Tensor } from "@gradloom/tensor";
import { type ClassMetricOptions, classOptions, predictionKind } from "./class-predictions.ts";
import { Metric } from "./metric.ts";

/** Options of {@link Accuracy}. */
export interface AccuracyOptions extends ClassMetricOptions {
  /** How many of the largest scores may be the right one. Default 1. */
  readonly topK?: number;
  /** Above what a floating prediction in the target's shape means 1. Default 0, for logits; 0.5 for probabilities. */
  readonly threshold?: number;
}

/**
 * The share of targets that were predicted.
 *
 * - Shape: scores `[N, C, d1, …]` and class indices `[N, d1, …]`; or a prediction in the shape of the target: class
 *   indices, or floating ones for targets 0 and 1
 */
export class Accuracy extends Metric {
  readonly name = "accuracy";
  readonly better = "max";
  readonly #options: AccuracyOptions;

  /** @throws ArgumentError if `topK` is not a positive integer. */
  constructor(options: AccuracyOptions = {}) {
    super();
    checkOptions("Accuracy", options, { ...classOptions, topK: true, threshold: true });
    const { topK = 1 } = options;
    if (!Number.isInteger(topK) || topK < 1) {
      throw new ArgumentError(`Accuracy: topK must be a positive integer, got ${topK}.`, {
        op: "Accuracy",
      });
    }
    this.#options = options;
  }

  protected measure(prediction: Tensor, target: Tensor): Tensor {
    const { ignoreIndex } = this.#options;
    const isRight = this.#isRight(prediction, target);
    const counts = ignoreIndex === undefined ? target.eq(target) : target.ne(ignoreIndex);
    const right = isRight.logicalAnd(counts);
    return stack([right.to("int32").sum(), counts.to("int32").sum()]);
  }

  #isRight(prediction: Tensor, target: Tensor): Tensor {
    const { axis = 1, topK = 1, threshold = 0 } = this.#options;
    if (predictionKind("Accuracy", prediction, target, axis) === "classes") {
      const isFloat = prediction.dtype === "float32" || prediction.dtype === "float64";
      return isFloat ? prediction.gt(threshold).eq(target.ne(0)) : prediction.eq(target);
    }
    if (topK === 1) return prediction.argmax(axis).eq(target);
    const { indices: best } = prediction.topk(Math.min(topK, prediction.shape.at(axis)!), axis);
    return best.eq(target.unsqueeze(axis)).any(axis);
  }

  protected value([right, count]: Float64Array): number {
    return right / count;
  }
}
