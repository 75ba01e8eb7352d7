import { type DType, extremes, isFloat, type ReduceOp } from "@gradloom/engine";
import { fit } from "./element-rules.ts";

/** Combines the values that it is given, in order. */
export interface Reducer {
  add(value: number): void;
  result(): number;
}

/** A new reducer. Sums and products of floats are kept in double precision and rounded once. */
export function createReducer(op: ReduceOp, dtype: DType): Reducer {
  const float = isFloat(dtype);
  switch (op) {
    case "sum":
      return fold(0, (a, b) => (float ? a + b : (a + b) | 0), dtype);
    case "prod":
      return fold(1, (a, b) => (float ? a * b : Math.imul(a, b)), dtype);
    case "max":
      return fold(extremes[dtype][0], Math.max, dtype);
    case "min":
      return fold(extremes[dtype][1], Math.min, dtype);
    case "argmax":
      return positionOf((value, best) => value > best);
    case "argmin":
      return positionOf((value, best) => value < best);
    default:
      throw op satisfies never;
  }
}

function fold(start: number, combine: (a: number, b: number) => number, dtype: DType): Reducer {
  let total = start;
  return {
    add(value) {
      total = combine(total, value);
    },
    result: () => fit[dtype](total),
  };
}

/** The position of the first NaN, or else of the first value that no other one beats. */
function positionOf(beats: (value: number, best: number) => boolean): Reducer {
  let count = 0;
  let best = 0;
  let position = 0;
  return {
    add(value) {
      const better = Number.isNaN(value) || beats(value, best);
      if (count === 0 || (better && !Number.isNaN(best))) {
        best = value;
        position = count;
      }
      count++;
    },
    result: () => position,
  };
}
