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
export type Accumulator = readonly number[];

/**
 * How a reduction is carried out on vectors of partial results. Floating `max` and `min` keep the extreme
 * of the numbers, and a mask that says where there was a NaN; `argmax` and `argmin` keep the extreme and
 * its position.
 */
export class Reduction {
  readonly #w: VectorWriter;
  readonly #op: ReduceOp;
  readonly #dtype: DType;
  readonly #identity: Value;
  /** Whether it is a sum of partial sums. */
  readonly long: boolean;

  /** Whether values come in the order of their positions, the first one at 0. */
  readonly #ordered: boolean;

  /** A `long` one has so many terms that the rounding of a simple sum would be felt. */
  constructor(w: VectorWriter, op: ReduceOp, dtype: DType, long: boolean, ordered: boolean) {
    this.#ordered = ordered;
    this.long = long && op === "sum" && dtype === "float32";
    this.#w = w;
    // As an integer, true is -1: the greater of booleans is the lesser of numbers.
    this.#op = dtype === "bool" ? mirrored[op] : op;
    this.#dtype = dtype;
    this.#identity = w.constant(dtype, identityOf(op, dtype));
  }

  /** Whether it needs the position of each value. */
  get positional(): boolean {
    return this.#op === "argmax" || this.#op === "argmin";
  }

  /** Takes locals of the current scope. */
  accumulator(): Accumulator {
    return this.positional || this.#tracksNaN || this.long
      ? [this.#w.fresh(), this.#w.fresh()]
      : [this.#w.fresh()];
  }

  /** Writes the start of a reduction: no value yet. */
  start(accumulator: Accumulator): void {
    const w = this.#w;
    this.#identity();
    w.f.set(accumulator[0]);
    if (accumulator.length === 1) return;
    w.i32(this.positional && !this.#ordered ? 0x7fffffff : 0)();
    w.f.set(accumulator[1]);
  }

  /** Combines with one value for each of the first `width` lanes. */
  fold(accumulator: Accumulator, value: Value, width: number, position?: Value): void {
    const w = this.#w;
    if (width === 4) {
      this.#combine(accumulator, value, position);
      return;
    }
    const mask = w.i32(...[0, 1, 2, 3].map((lane) => (lane < width ? -1 : 0)));
    const masked = w.keep(w.op(v128.bitselect, value, this.#identity, mask));
    const last = w.i32(0x7fffffff);
    const at = position && w.keep(w.op(v128.bitselect, position, last, mask));
    this.#combine(accumulator, masked, at);
  }

  /** Adds a partial sum to the sum of those before it, and begins another one. */
  addPartialSum([partial, total]: Accumulator): void {
    if (!this.long) return;
    const w = this.#w;
    w.op(f32x4.add, w.local(total), w.local(partial))();
    w.f.set(total);
    w.f32(0)();
    w.f.set(partial);
  }

  /** Combines with other partial results, which stay as they are. */
  merge(accumulator: Accumulator, other: Accumulator): void {
    const w = this.#w;
    const [value, extra] = other.map((local) => w.local(local));
    if (this.#tracksNaN || this.long) {
      w.op(this.long ? f32x4.add : v128.or, w.local(accumulator[1]), extra)();
      w.f.set(accumulator[1]);
    }
    this.#combine(accumulator, value, extra, true);
  }

  /** Combines the four lanes; each has the result then. */
  spread(accumulator: Accumulator): void {
    const w = this.#w;
    for (const lanes of [
      [2, 3, 0, 1],
      [1, 0, 3, 2],
    ]) {
      const turned = accumulator.map((local) => {
        const turn = w.fresh();
        w.f
          .get(local)
          .get(local)
          .op(i8x16.shuffle, ...words(...lanes))
          .set(turn);
        return turn;
      });
      this.merge(accumulator, turned);
    }
  }

  /** The result, once all is combined. */
  value(accumulator: Accumulator): Value {
    const w = this.#w;
    const first = w.local(accumulator[0]);
    if (this.positional) return w.local(accumulator[1]);
    if (this.#tracksNaN) return w.op(v128.or, first, w.local(accumulator[1]));
    if (this.long) return w.op(f32x4.add, first, w.local(accumulator[1]));
    return this.#dtype === "uint8" ? w.op(v128.and, first, w.i32(0xff)) : first;
  }

  get #tracksNaN(): boolean {
    return (this.#op === "max" || this.#op === "min") && isFloat(this.#dtype);
  }

  #combine(accumulator: Accumulator, value: Value, position?: Value, checked = false): void {
    const w = this.#w;
    const op = this.#op;
    const dtype = this.#dtype;
    if (this.positional && position !== undefined) {
      this.#combinePositions(accumulator, value, position);
      return;
    }
    const now = w.local(accumulator[0]);
    if (this.#tracksNaN) {
      const kept = checked ? value : w.keep(value);
      if (!checked) {
        const unordered = w.lanes(dtype, "ne", kept, kept);
        w.op(v128.or, w.local(accumulator[1]), unordered)();
        w.f.set(accumulator[1]);
      }
      w.lanes(dtype, op === "max" ? "pmax" : "pmin", now, kept)();
    } else {
      w.lanes(
        dtype,
        op === "sum" ? "add" : op === "prod" ? "mul" : (op as "max" | "min"),
        now,
        value,
      )();
    }
    w.f.set(accumulator[0]);
  }

  /** Takes the value if it is more extreme, or just as extreme and comes first. NaN is the extreme. */
  #combinePositions(accumulator: Accumulator, newValue: Value, newPosition: Value): void {
    const w = this.#w;
    const lanes = (op: LaneOp, a: Value, b: Value): Value => w.lanes(this.#dtype, op, a, b);
    const [value, position] = [w.keep(newValue), w.keep(newPosition)];
    const [best, at] = accumulator.map((local) => w.local(local));
    const [less, more] = this.#op === "argmax" ? [best, value] : [value, best];
    const earlier = w.op(i32x4.lt_s, position, at);
    let better = lanes("lt", less, more);
    let equal = lanes("eq", value, best);
    if (this.#ordered && isFloat(this.#dtype)) {
      const worse = lanes("le", more, less);
      better = w.op(v128.andnot, lanes("eq", best, best), worse);
    } else if (isFloat(this.#dtype)) {
      const unordered = w.keep(lanes("ne", value, value));
      const wasNaN = w.keep(lanes("ne", best, best));
      better = w.op(v128.or, better, w.op(v128.andnot, unordered, wasNaN));
      equal = w.op(v128.or, equal, w.op(v128.and, unordered, wasNaN));
    }
    const tie = w.op(v128.and, equal, earlier);
    const take = w.keep(this.#ordered ? better : w.op(v128.or, better, tie));
    w.op(v128.bitselect, position, at, take)();
    w.f.set(accumulator[1]);
    const wide = this.#dtype === "float64" ? w.op(i64x2.extend_low_i32x4_s, take) : take;
    w.op(v128.bitselect, value, best, wide)();
    w.f.set(accumulator[0]);
  }
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
