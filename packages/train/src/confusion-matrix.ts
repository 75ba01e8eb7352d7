import {
  ArgumentError,
  checkIndices,
  checkOptions,
  ones,
  type Tensor,
  zeros,
} from "@gradloom/tensor";
import { type ClassMetricOptions, classOptions, predictionKind } from "./class-predictions.ts";
import { Metric } from "./metric.ts";

/**
 * How often each class (row) was taken for each class (column).
 *
 * - Shape: scores `[N, C, d1, …]` or class indices `[N, d1, …]`, and class indices `[N, d1, …]`
 */
export class ConfusionMatrix extends Metric<number[][]> {
  readonly name = "confusionMatrix";
  readonly better = undefined;
  readonly #classes: number;
  readonly #options: ClassMetricOptions;

  /** @throws ArgumentError if `numClasses` is not a positive integer. */
  constructor(numClasses: number, options: ClassMetricOptions = {}) {
    super();
    checkClasses("ConfusionMatrix", numClasses);
    checkOptions("ConfusionMatrix", options, classOptions);
    this.#classes = numClasses;
    this.#options = options;
  }

  protected measure(prediction: Tensor, target: Tensor): Tensor {
    return countPairs("ConfusionMatrix", prediction, target, this.#classes, this.#options);
  }

  protected value(sums: Float64Array): number[][] {
    return rowsOf(sums, this.#classes);
  }
}

/** @throws ArgumentError unless this can be a number of classes. */
export function checkClasses(op: string, numClasses: number): void {
  if (Number.isInteger(numClasses) && numClasses > 0) return;
  throw new ArgumentError(`${op}: numClasses must be a positive integer, got ${numClasses}.`, {
    op,
  });
}

/** How often each class was taken for each, row by row: `[classes · classes]`. */
export function countPairs(
  op: string,
  prediction: Tensor,
  target: Tensor,
  classes: number,
  { axis = 1, ignoreIndex }: ClassMetricOptions,
): Tensor {
  const isScores = predictionKind(op, prediction, target, axis) === "scores";
  const predicted = isScores ? prediction.argmax(axis) : checkIndices(op, prediction, classes);
  const truth = checkIndices(op, target, classes, ignoreIndex);
  const pair = truth.mul(classes).add(predicted.to(truth.dtype));
  // What does not count goes into a place of its own behind the others.
  const place =
    ignoreIndex === undefined ? pair : pair.maskedFill(target.eq(ignoreIndex), classes ** 2);
  const flat = place.flatten();
  return zeros([classes ** 2 + 1], { dtype: "int32" })
    .scatterAdd(0, flat, ones(flat.shape, { dtype: "int32" }))
    .slice(0, 0, classes ** 2);
}

/** The sums as a table. */
export function rowsOf(sums: Float64Array, classes: number): number[][] {
  return Array.from({ length: classes }, (_, row) =>
    Array.from(sums.subarray(row * classes, (row + 1) * classes)),
  );
}
