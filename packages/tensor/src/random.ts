import { constant, type DType, element, extremes, philox, scalar } from "@gradloom/engine";
import { cast, checkShape, leaf, type TensorOptions } from "./create.ts";
import { bits, floatOf, normal, uniform } from "./distributions.ts";
import { engine } from "./engine.ts";
import { argumentError } from "./errors.ts";
import { type Draw, type DrawSource, defaultGenerator, type Generator } from "./generator.ts";
import { requireProbability } from "./options.ts";
import { requireTensor } from "./promote.ts";
import { formula } from "./record.ts";
import { isCount } from "./shape.ts";
import { Tensor } from "./tensor.ts";
import { refuseWhileTracing } from "./tracing.ts";

/** What every function that makes a random tensor takes. */
export interface RandomOptions extends TensorOptions {
  /** Default: the one that `manualSeed` sets. */
  readonly generator?: Generator;
}

/** Uniform on [0, 1). Multiples of 2⁻²⁴ in float32 (the default), of 2⁻⁵³ in float64. */
export function rand(shape: readonly number[], options: RandomOptions = {}): Tensor {
  const node = uniform(bits("rand", shape, options), floatOf("rand", options.dtype));
  return leaf("rand", node, options);
}

/** Normal with mean 0 and variance 1. Default dtype: float32. */
export function randn(shape: readonly number[], options: RandomOptions = {}): Tensor {
  const node = normal(bits("randn", shape, options), floatOf("randn", options.dtype));
  return leaf("randn", node, options);
}

/** Normal with mean 0 and variance 1, in the shape and dtype of `x`. */
export function randnLike(x: Tensor, options: RandomOptions = {}): Tensor {
  return randn(x.shape, { dtype: x.dtype, ...options });
}

/**
 * Integers, uniform on `low, …, high - 1`; without `low` from 0. Default dtype: int32. Each has the same
 * probability up to a relative error of `(high - low) / 2⁵³`.
 *
 * @throws ArgumentError unless `low < high` are integers that the dtype holds exactly.
 */
export function randint(high: number, shape: readonly number[], options?: RandomOptions): Tensor;
export function randint(
  low: number,
  high: number,
  shape: readonly number[],
  options?: RandomOptions,
): Tensor;
export function randint(
  first: number,
  second: number | readonly number[],
  third: readonly number[] | RandomOptions = {},
  fourth: RandomOptions = {},
): Tensor {
  const [low, high, shape, options] =
    typeof second === "number"
      ? [first, second, third as readonly number[], fourth]
      : [0, first, second, third as RandomOptions];
  const { dtype = "int32" } = options;
  const [least, most] = exactRange[dtype];
  if (!isCount(low, least) || !isCount(high, low + 1) || high > most + 1) {
    throw argumentError`randint: low < high must be integers in [${least}, ${most + 1}] for ${dtype}, got ${low} and ${high}.`;
  }
  const unit = new Tensor(uniform(bits("randint", shape, options), "float64"));
  const node = formula(() =>
    unit
      .mul(high - low)
      .floor()
      .add(low)
      .to(dtype),
  );
  return leaf("randint", node, options);
}

/** The smallest and largest integer up to which a dtype has all. */
const exactRange: Readonly<Record<DType, readonly [number, number]>> = {
  ...extremes,
  float32: [-(2 ** 24), 2 ** 24],
  float64: [-(2 ** 53), 2 ** 53 - 2],
};

/**
 * The integers `0, …, n - 1` in random order; every order is equally likely. Default dtype: int32.
 *
 * @throws StateError inside `compile`, where each call would get the same order.
 */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  checkShape([n], "randperm");
  refuseWhileTracing("randperm", "the order must not be drawn", "Pass it in as an input.");
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const below = integersBelow((options.generator ?? defaultGenerator).draw());
  for (let i = n - 1; i > 0; i--) {
    const j = below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const node = engine().input(order, [n], "int32");
  return leaf("randperm", cast(node, options.dtype ?? "int32"), options);
}

/** Random integers at once, in JavaScript: uniform on `0, …, limit - 1`. */
function integersBelow({ key0, key1, stream }: Draw): (limit: number) => number {
  let used = 0;
  return (limit) => {
    // What is left above the last multiple of `limit` would favour small numbers.
    const end = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const word = philox(used >>> 2, stream, key0, key1, used & 3) >>> 0;
      used++;
      if (word < end) return word % limit;
    }
  };
}

/**
 * 1 with the probabilities given, element by element, else 0; in their shape and dtype.
 *
 * @throws DTypeError if the probabilities are not floating.
 */
export function bernoulli(
  probabilities: Tensor,
  options: Omit<RandomOptions, "dtype" | "requiresGrad"> = {},
): Tensor {
  requireTensor("bernoulli", probabilities);
  const { node, shape } = probabilities;
  const dtype = floatOf("bernoulli", probabilities.dtype);
  const unit = uniform(bits("bernoulli", shape, options), dtype);
  return leaf("bernoulli", cast(element("lt", [unit, node], "bool"), dtype));
}

/**
 * What dropout multiplies with: 0 with probability `p`, else `1 / (1 - p)`. The probability is an input of
 * the plan, so that changing it compiles nothing.
 *
 * @throws ArgumentError if `p` is not in [0, 1].
 */
export function dropoutMask(
  shape: readonly number[],
  p: number,
  options: { readonly dtype?: DType; readonly generator?: DrawSource } = {},
): Tensor {
  requireProbability("dropout", "p", p);
  const dtype = floatOf("dropout", options.dtype);
  const unit = uniform(bits("dropout", shape, options), dtype);
  const dropped = element("lt", [unit, scalar(p, dtype)], "bool");
  const kept = scalar(p < 1 ? 1 / (1 - p) : 0, dtype);
  return leaf("dropout", element("where", [dropped, constant(0, dtype), kept], dtype));
}
