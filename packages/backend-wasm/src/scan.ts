import type { DType, ScanInstruction } from "@gradloom/engine";
import { joinHalves, upperHalf } from "./halves.ts";
import { laneInstruction } from "./lane-instructions.ts";
import * as f32 from "./opcodes/f32.ts";
import * as f32x4 from "./opcodes/f32x4.ts";
import * as f64 from "./opcodes/f64.ts";
import * as f64x2 from "./opcodes/f64x2.ts";
import * as i32 from "./opcodes/i32.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Opcode } from "./opcodes.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/**
 * Running sums or products: of each lane by itself, or from lane to lane. Those of float32 are kept in float64, as in
 * PyTorch, and rounded for each element.
 */
export class Scan {
  readonly #w: VectorWriter;
  readonly #dtype: DType;
  readonly #op: "add" | "mul";
  readonly #start: number;
  readonly #fromLaneToLane: boolean;
  #total: readonly number[] = [];

  constructor(w: VectorWriter, { dtype, reduce }: ScanInstruction, lanesAcross: boolean) {
    this.#w = w;
    this.#dtype = dtype;
    this.#op = reduce === "sum" ? "add" : "mul";
    this.#start = reduce === "sum" ? 0 : 1;
    this.#fromLaneToLane = !lanesAcross && dtype !== "float64";
  }

  /** Writes the start of a row. Takes locals of the current scope. */
  start(): void {
    const { f } = this.#w;
    const float = this.#dtype === "float32";
    if (this.#fromLaneToLane) {
      this.#total = [this.#w.fresh(float ? "f64" : "i32")];
      if (float) f.f64(this.#start);
      else f.i32(this.#start);
      f.set(this.#total[0]);
      return;
    }
    this.#total = float ? [this.#w.fresh(), this.#w.fresh()] : [this.#w.fresh()];
    for (const local of this.#total) {
      this.#w.constant(float ? "float64" : this.#dtype, this.#start)();
      f.set(local);
    }
  }

  /** Combines with the next value, and pushes what has come of it, in the first `width` lanes. */
  push(value: Value, width: number): void {
    const kept = this.#w.keep(value);
    if (this.#fromLaneToLane) this.#pushLanes(kept, width);
    else if (this.#dtype === "float32") this.#pushHalves(kept);
    else this.#add(this.#total[0], this.#dtype, kept)();
  }

  #pushLanes(value: Value, width: number): void {
    const { f } = this.#w;
    const [total] = this.#total;
    const float = this.#dtype === "float32";
    const sum = this.#op === "add";
    value();
    for (let lane = 0; lane < width; lane++) {
      f.get(total);
      value();
      f.op(laneInstruction(this.#dtype, "extract") as Opcode, lane);
      if (float) f.op(f64.promote_f32).op(sum ? f64.add : f64.mul);
      else f.op(sum ? i32.add : i32.mul);
      if (this.#dtype === "uint8") f.i32(255).op(i32.and);
      f.tee(total);
      if (float) f.op(f32.demote_f64);
      f.op(laneInstruction(this.#dtype, "replace") as Opcode, lane);
    }
  }

  #pushHalves(value: Value): void {
    const w = this.#w;
    const [low, high] = this.#total;
    const [a, b] = [
      this.#add(low, "float64", w.op(f64x2.promote_low_f32x4, value)),
      this.#add(high, "float64", w.op(f64x2.promote_low_f32x4, upperHalf(w, value))),
    ];
    joinHalves(w, w.op(f32x4.demote_f64x2_zero, a), w.op(f32x4.demote_f64x2_zero, b))();
  }

  /** Adds (or multiplies) to a local now: the value of that. */
  #add(local: number, dtype: DType, value: Value): Value {
    const w = this.#w;
    w.lanes(dtype, this.#op, w.local(local), value)();
    if (this.#dtype === "uint8") w.f.i32x4(255).op(v128.and);
    w.f.set(local);
    return w.local(local);
  }
}
