import { leaf } from "./create.ts";
import { bits, exponential, floatOf } from "./distributions.ts";
import { argumentError, shapeError } from "./errors.ts";
import type { Generator } from "./generator.ts";
import { topk } from "./ops/sort.ts";
import { formula } from "./record.ts";
import { isCount } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** Options of {@link multinomial}. */
export interface MultinomialOptions {
  /** Whether the same index may be drawn again. Default: false. */
  readonly replacement?: boolean;
  readonly generator?: Generator;
}

/**
 * Indices drawn with the probabilities in each row, which need not sum to 1: `[n] -> [numSamples]` or
 * `[rows, n] -> [rows, numSamples]`, int32. Without replacement, the order is that of drawing one by one.
 *
 * Element `i` wins the race that arrives first at rate `pᵢ`: the largest `pᵢ / eᵢ`, with `e` exponentially
 * distributed. That the probabilities are at least 0, and enough of them above 0, is not checked: that would
 * mean to wait for them.
 *
 * @throws ShapeError, DTypeError or ArgumentError if the probabilities are not a floating vector or matrix, or
 * there are fewer than `numSamples` to draw without replacement.
 */
export function multinomial(
  probabilities: Tensor,
  numSamples: number,
  options: MultinomialOptions = {},
): Tensor {
  const op = "multinomial";
  const { shape } = probabilities;
  const dtype = floatOf(op, probabilities.dtype);
  const { replacement = false } = options;
  const n = shape[shape.length - 1];
  if (shape.length < 1 || shape.length > 2 || n === 0) {
    throw shapeError`${op}: probabilities must be [n] or [rows, n], got ${shape}.`;
  }
  if (!isCount(numSamples, 1) || (!replacement && numSamples > n)) {
    const rule = replacement ? "at least 1" : `in [1, ${n}] to draw from ${n} without replacement`;
    throw argumentError`${op}: numSamples must be ${rule}, got ${numSamples}.`;
  }
  const rows = shape.slice(0, -1);
  const races = replacement || numSamples === 1 ? numSamples : 1;
  const time = exponential(bits(op, [...rows, races, n], options), dtype);
  const node = formula(() => {
    const scores = probabilities.reshape([...rows, 1, n]).div(new Tensor(time)); // [...rows, races, n]
    return races === numSamples
      ? scores.argmax(-1)
      : topk(scores.reshape(shape), numSamples).indices;
  });
  return leaf(op, node);
}
