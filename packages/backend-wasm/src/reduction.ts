import { type DType, extremes, isFloat, type ReduceOp } from "@gradloom/engine";
import type { LaneOp } from "./lane-instructions.ts";
import * as f32x4 from "./opcodes/f32x4.ts";
import * as i8x16 from "./opcodes/i8x16.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as i64x2 from "./opcodes/i64x2.ts";
import * as v128 from "./opcodes/v128.ts";
import { words } from "./transpose.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/** Partial results, one in each lane, in locals: what they are depends on the reduction. */
type Accumulator = readonly number[];

/** A result of a stage: what is written to combine values, or to keep the only one there is. */
export interface Reduction {
  /** Whether it is a sum of partial sums. */
  readonly long: boolean;
  /** Takes locals of the current scope, for a number of vectors of partial results. */
  take(copies: number): void;
  /** Writes the start of a reduction: no value yet. */
  start(): void;
  /** Combines with one value for each of the first `width` lanes. */
  fold(copy: number, value: Value, width: number, position?: Value): void;
  /** Adds partial sums to the sums of those before them, and begins others. */
  addPartialSums(): void;
  /** Combines the partial results in all vectors; with `spread` those in the four lanes, each of which has the result then. */
  finish(spread: boolean): void;
  /** The result, once all is combined. */
  value(copy: number): Value;
}

/**
 * How a reduction is carried out on vectors of partial results. Floating `max` and `min` keep the extreme
 * of the numbers, and a mask that says where there was a NaN; `argmax` and `argmin` keep the extreme and
 * its position.
 *
 * @param isLong - So many terms that the rounding of a simple sum would be felt.
 * @param ordered - Values come in the order of their positions, the first one at 0: lanes are rows, which are not combined.
 */
export function createReduction(
  w: VectorWriter,
  reduce: ReduceOp | undefined,
  dtype: DType,
  isLong: boolean,
  ordered: boolean,
): Reduction {
  // As an integer, true is -1: the greater of booleans is the lesser of numbers.
  const op = reduce && dtype === "bool" ? mirrored[reduce] : reduce;
  const float = isFloat(dtype);
  const long = isLong && op === "sum" && dtype === "float32";
  const positional = op === "argmax" || op === "argmin";
  const tracksNaN = (op === "max" || op === "min") && float;
  const identity = reduce && w.constant(dtype, identityOf(reduce, dtype));
  let accumulators: readonly Accumulator[] = [];

  const lanes = (name: LaneOp, a: Value, b: Value): Value => w.lanes(dtype, name, a, b);
  const set = (local: number, value: Value): void => {
    value();
    w.f.set(local);
  };

  const combine = (to: Accumulator, value: Value, position?: Value, checked = false): void => {
    const now = w.local(to[0]);
    if (op === undefined) set(to[0], value);
    else if (positional && position) combinePositions(to, value, position);
    else if (tracksNaN) {
      const kept = checked ? value : w.keep(value);
      if (!checked) set(to[1], w.op(v128.or, w.local(to[1]), lanes("ne", kept, kept)));
      set(to[0], lanes(op === "max" ? "pmax" : "pmin", now, kept));
    } else {
      const name = op === "sum" ? "add" : op === "prod" ? "mul" : (op as "max" | "min");
      set(to[0], lanes(name, now, value));
    }
  };

  /** Takes the value if it is more extreme, or just as extreme and comes first. NaN is the extreme. */
  const combinePositions = (to: Accumulator, newValue: Value, newPosition: Value): void => {
    const [value, position] = [w.keep(newValue), w.keep(newPosition)];
    const [best, at] = to.map((local) => w.local(local));
    const [less, more] = op === "argmax" ? [best, value] : [value, best];
    const earlier = w.op(i32x4.lt_s, position, at);
    let better = lanes("lt", less, more);
    let equal = lanes("eq", value, best);
    if (ordered && float) {
      const worse = lanes("le", more, less);
      better = w.op(v128.andnot, lanes("eq", best, best), worse);
    } else if (float) {
      const unordered = w.keep(lanes("ne", value, value));
      const wasNaN = w.keep(lanes("ne", best, best));
      better = w.op(v128.or, better, w.op(v128.andnot, unordered, wasNaN));
      equal = w.op(v128.or, equal, w.op(v128.and, unordered, wasNaN));
    }
    const tie = w.op(v128.and, equal, earlier);
    const take = w.keep(ordered ? better : w.op(v128.or, better, tie));
    set(to[1], w.op(v128.bitselect, position, at, take));
    const wide = dtype === "float64" ? w.op(i64x2.extend_low_i32x4_s, take) : take;
    set(to[0], w.op(v128.bitselect, value, best, wide));
  };

  /** Combines with other partial results, which stay as they are. */
  const merge = (to: Accumulator, from: Accumulator): void => {
    const [value, extra] = from.map((local) => w.local(local));
    if (tracksNaN || long) set(to[1], w.op(long ? f32x4.add : v128.or, w.local(to[1]), extra));
    combine(to, value, extra, true);
  };

  return {
    long,
    take(copies) {
      accumulators = Array.from({ length: copies }, () =>
        positional || tracksNaN || long ? [w.fresh(), w.fresh()] : [w.fresh()],
      );
    },
    start() {
      if (!identity) return;
      for (const [first, second] of accumulators) {
        set(first, identity);
        if (second !== undefined) set(second, w.i32(positional && !ordered ? 0x7fffffff : 0));
      }
    },
    fold(copy, value, width, position) {
      const to = accumulators[copy] ?? accumulators[0];
      if (width === 4 || !identity) {
        combine(to, value, position);
        return;
      }
      const mask = w.firstLanes(width);
      const masked = w.keep(w.op(v128.bitselect, value, identity, mask));
      const last = w.i32(0x7fffffff);
      combine(to, masked, position && w.keep(w.op(v128.bitselect, position, last, mask)));
    },
    addPartialSums() {
      if (!long) return;
      for (const [partial, total] of accumulators) {
        set(total, w.op(f32x4.add, w.local(total), w.local(partial)));
        set(partial, w.f32(0));
      }
    },
    finish(spread) {
      if (op === undefined || ordered) return;
      for (let step = 1; step < accumulators.length; step *= 2) {
        for (let i = 0; i + step < accumulators.length; i += 2 * step) {
          w.scope(() => merge(accumulators[i], accumulators[i + step]));
        }
      }
      const [first] = accumulators;
      w.scope(() => {
        for (const picked of spread ? [words(2, 3, 0, 1), words(1, 0, 3, 2)] : []) {
          const turned = first.map((local) => {
            const turn = w.fresh();
            w.f
              .get(local)
              .get(local)
              .op(i8x16.shuffle, ...picked)
              .set(turn);
            return turn;
          });
          merge(first, turned);
        }
      });
    },
    value(copy) {
      const [first, second] = accumulators[copy].map((local) => w.local(local));
      if (positional) return second;
      if (tracksNaN) return w.op(v128.or, first, second);
      if (long) return w.op(f32x4.add, first, second);
      return op && dtype === "uint8" ? w.op(v128.and, first, w.i32(0xff)) : first;
    },
  };
}

const mirrored: Readonly<Record<ReduceOp, ReduceOp>> = {
  sum: "min",
  prod: "max",
  max: "min",
  min: "max",
  argmax: "argmin",
  argmin: "argmax",
};

/** What changes nothing. */
function identityOf(op: ReduceOp, dtype: DType): number {
  if (op === "sum" || op === "prod") return Number(op === "prod");
  return extremes[dtype][op === "max" || op === "argmax" ? 0 : 1];
}
