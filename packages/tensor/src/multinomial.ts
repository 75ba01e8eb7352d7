import { constant, element, iota, type Node, reduce, reshape } from "@gradloom/engine";
import { cast, leaf } from "./create.ts";
import { bits, exponential, floatOf } from "./distributions.ts";
import { argumentError, shapeError } from "./errors.ts";
import type { Generator } from "./generator.ts";
import type { Tensor } from "./tensor.ts";

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
  if (!Number.isInteger(numSamples) || numSamples < 1 || (!replacement && numSamples > n)) {
    const rule = replacement ? "at least 1" : `in [1, ${n}] to draw from ${n} without replacement`;
    throw argumentError`${op}: numSamples must be ${rule}, got ${numSamples}.`;
  }
  const rows = shape.slice(0, -1);
  const races = replacement || numSamples === 1 ? numSamples : 1;
  const time = exponential(bits(op, [...rows, races, n], options), dtype);
  const rates = reshape(probabilities.node, [...rows, 1, n]);
  const scores = element("div", [rates, time], dtype); // [...rows, races, n]
  const node =
    races === numSamples
      ? reduce("argmax", scores, [scores.shape.length - 1])
      : firstOf(reshape(scores, shape), numSamples);
  return leaf(op, node);
}

/** The positions of the `count` largest, largest first: `[..., n] -> [..., count]`. */
function firstOf(scores: Node, count: number): Node {
  const { shape } = scores;
  const axis = shape.length;
  const n = shape[axis - 1];
  const mine = reshape(scores, [...shape, 1]);
  const other = reshape(scores, [...shape.slice(0, -1), 1, n]);
  const tie = element("lt", [iota(n), reshape(iota(n), [n, 1])], "bool");
  const before = element(
    "or",
    [
      element("lt", [mine, other], "bool"),
      element("and", [element("eq", [mine, other], "bool"), tie], "bool"),
    ],
    "bool",
  ); // [..., n, n]
  const rank = reduce("sum", cast(before, "int32"), [axis]); // [..., n]
  const hit = element("eq", [reshape(rank, [...shape, 1]), iota(count)], "bool"); // [..., n, count]
  const position = reshape(iota(n), [n, 1]);
  const chosen = element("where", [hit, position, constant(0, "int32")], "int32");
  return reduce("sum", chosen, [axis - 1]);
}
