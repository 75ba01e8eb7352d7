import { type DType, philox, type TypedArray } from "@gradloom/engine";
import { fromTypedArray } from "../src/create.ts";
import { sizeOf } from "../src/shape.ts";
import type { Tensor } from "../src/tensor.ts";

/** What one input of a case is filled with. */
export interface Sample {
  readonly shape: readonly number[];
  /** Values are uniform on [low, high). */
  readonly low: number;
  readonly high: number;
  /** `"real"`: float32, and float64 where gradients are checked. */
  readonly dtype: "real" | DType;
  /** No value is closer than 0.05 to one of these, where the function has a kink or a jump. */
  readonly avoid: readonly number[];
}

/** Real numbers. */
export function real(
  shape: readonly number[],
  low = -2,
  high = 2,
  ...avoid: readonly number[]
): Sample {
  return { shape, low, high, dtype: "real", avoid };
}

/** Integers. */
export function whole(
  shape: readonly number[],
  low = -5,
  high = 6,
  dtype: "int32" | "uint8" = "int32",
): Sample {
  return { shape, low, high, dtype, avoid: [] };
}

/** Booleans. */
export function bool(shape: readonly number[]): Sample {
  return { shape, low: 0, high: 2, dtype: "bool", avoid: [] };
}

/** The values of a sample, always the same for the same sample and number of input. */
export function valuesOf(sample: Sample, input: number): Float64Array {
  const { shape, low, high, dtype, avoid } = sample;
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
    const unit = (philox(i, 7 + input, 11, 13, 0) >>> 0) / 2 ** 32;
    const value = low + (high - low) * unit;
    if (dtype !== "real") return Math.floor(value);
    const kink = avoid.find((point) => Math.abs(value - point) < 0.05);
    return Math.fround(kink === undefined ? value : kink + (value < kink ? -0.1 : 0.1));
  });
}

/** How the elements of an input lie in the memory of what it is a view of. */
export const layouts = [
  "contiguous",
  "permuted",
  "stepped",
  "flipped",
  "padded",
  "expanded",
] as const;
export type Layout = (typeof layouts)[number];

/** The values with the first of the first axis in place of all others, as an expanded tensor has them. */
export function repeatFirst(values: Float64Array, shape: readonly number[]): Float64Array {
  const size = values.length / (shape[0] ?? 1);
  return values.map((_, i) => values[i % size]);
}

/**
 * A tensor of these values, seen through a view.
 *
 * @param values - For `"expanded"`: what {@link repeatFirst} gives.
 */
export function arrange(
  values: Float64Array,
  shape: readonly number[],
  dtype: DType,
  layout: Layout,
): Tensor {
  const make = (data: Float64Array, sizes: readonly number[]) => {
    return fromTypedArray(data, sizes, { dtype });
  };
  const last = shape.length - 1;
  if (shape.length === 0) {
    return layout === "contiguous" ? make(values, shape) : make(values, [1]).reshape([]);
  }
  switch (layout) {
    case "contiguous":
      return make(values, shape);
    case "permuted": {
      const axes = shape.map((_, axis) => last - axis);
      return make(reorder(values, shape, axes), [...shape].reverse()).permute(axes);
    }
    case "stepped": {
      // Every third element along the last axis, with others before and between.
      const wide = new Float64Array(values.length * 3).fill(1);
      values.forEach((value, i) => {
        wide[3 * i + 1] = value;
      });
      const sizes = [...shape.slice(0, -1), shape[last] * 3];
      return make(wide, sizes).slice(last, 1, undefined, { step: 3 });
    }
    case "flipped":
      return make(values.slice().reverse(), shape).flip(shape.map((_, axis) => axis));
    case "padded": {
      // The padding is cut off again: what remains is read behind guards.
      const padded = make(values, shape).pad([1, 2]);
      return padded.narrow(last, 1, shape[last]);
    }
    case "expanded": {
      const first = values.slice(0, values.length / Math.max(1, shape[0]));
      if (shape[0] === 0) return make(values, shape);
      return make(first, [1, ...shape.slice(1)]).expand(shape);
    }
    default:
      return layout satisfies never;
  }
}

/** The values in the order of the permuted axes. */
function reorder(
  values: Float64Array,
  shape: readonly number[],
  axes: readonly number[],
): Float64Array {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const result = new Float64Array(values.length);
  const index = axes.map(() => 0);
  for (let i = 0; i < values.length; i++) {
    result[i] = values[axes.reduce((sum, axis, k) => sum + index[k] * strides[axis], 0)];
    for (let k = axes.length - 1; k >= 0; k--) {
      index[k]++;
      if (index[k] < shape[axes[k]]) break;
      index[k] = 0;
    }
  }
  return result;
}

/** Where two lists of numbers differ most, or `undefined` if they agree. */
export function largestDifference(
  actual: TypedArray,
  expected: TypedArray,
  rtol: number,
  atol: number,
): string | undefined {
  if (actual.length !== expected.length) {
    return `${actual.length} elements instead of ${expected.length}`;
  }
  let worst = 1;
  let message: string | undefined;
  for (let i = 0; i < actual.length; i++) {
    if (Object.is(actual[i], expected[i]) || actual[i] === expected[i]) continue;
    const difference = Math.abs(actual[i] - expected[i]);
    const excess = difference / (atol + rtol * Math.abs(expected[i]));
    // A NaN or an infinity that is only on one side makes this comparison false.
    if (excess <= worst) continue;
    worst = Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess;
    message = `element ${i} is ${actual[i]} instead of ${expected[i]}`;
  }
  return message;
}
