import { checkOptions, type Tensor } from "@gradloom/tensor";
import { type ClassMetricOptions, classOptions } from "./class-predictions.ts";
import { checkClasses, countPairs, rowsOf } from "./confusion-matrix.ts";
import { Metric } from "./metric.ts";

/**
 * Intersection over union, `TP / (TP + FP + FN)`, of each class over all batches; then the mean over the classes that
 * were there, in predictions or targets.
 *
 * - Shape: scores `[N, C, d1, …]` or class indices `[N, d1, …]`, and class indices `[N, d1, …]`
 */
export class MeanIoU extends Metric {
  readonly name = "meanIoU";
  readonly better = "max";
  readonly #classes: number;
  readonly #options: ClassMetricOptions;

  /** @throws ArgumentError if `numClasses` is not a positive integer. */
  constructor(numClasses: number, options: ClassMetricOptions = {}) {
    super();
    checkClasses("MeanIoU", numClasses);
    checkOptions("MeanIoU", options, classOptions);
    this.#classes = numClasses;
    this.#options = options;
  }

  protected measure(prediction: Tensor, target: Tensor): Tensor {
    return countPairs("MeanIoU", prediction, target, this.#classes, this.#options);
  }

  protected value(sums: Float64Array): number {
    const rows = rowsOf(sums, this.#classes);
    const shares = rows.flatMap((row, c) => {
      const union = total(row) + total(rows.map((other) => other[c])) - row[c];
      return union === 0 ? [] : [row[c] / union];
    });
    return total(shares) / shares.length;
  }
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
