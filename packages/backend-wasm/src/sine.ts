import { callHost } from "./expression.ts";
import { joinHalves, upperHalf } from "./halves.ts";
import * as f32x4 from "./opcodes/f32x4.ts";
import * as f64x2 from "./opcodes/f64x2.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

// π/2 in two parts: products of the first with an integer below 2¹⁷ are exact in float64.
const halfPiHigh = 1.5707963267341256;
const halfPiLow = 6.077100506506192e-11;
/** Beyond it the reduction loses digits, and the host's functions take over. */
const largestReduced = 1e5;

// In the order of falling powers.
const sinCoefficients = [2.7180465e-6, -0.00019839304, 0.008333329, -0.16666667, 1];
const cosCoefficients = [2.4432413e-5, -0.001388731, 0.041666646, -0.5, 1];

/**
 * `sin x` or `cos x` with `x = q π/2 + r`, `|r| ≤ π/4`: one of ± sin r, ± cos r, chosen by `q mod 4`.
 * The reduction (Cody and Waite's) is carried out in float64.
 */
export function sine(w: VectorWriter, x: Value, op: "sin" | "cos"): Value {
  const { f } = w;
  const original = w.keep(x);
  // The sum's lowest bits are the nearest integer: right up to 2²².
  const shift = w.f32(1.5 * 2 ** 23);
  const shifted = w.keep(w.op(f32x4.add, w.op(f32x4.mul, original, w.f32(2 / Math.PI)), shift));
  const q = w.keep(w.op(f32x4.sub, shifted, shift));
  const r = w.keep(
    joinHalves(w, reduceHalf(w, original, q, false), reduceHalf(w, original, q, true)),
  );
  const quadrant = op === "sin" ? shifted : w.keep(w.op(i32x4.add, shifted, w.i32(1)));
  const square = w.keep(w.op(f32x4.mul, r, r));
  const sin = w.op(f32x4.mul, r, w.polynomial(square, sinCoefficients));
  const cos = w.polynomial(square, cosCoefficients);
  const odd = w.shift(i32x4.shr_s, w.shift(i32x4.shl, quadrant, 31), 31);
  const chosen = w.op(v128.bitselect, cos, sin, odd);
  const sign = w.op(v128.and, w.shift(i32x4.shl, quadrant, 30), w.i32(-0x80000000));
  const result = w.fresh();
  w.op(v128.xor, chosen, sign)();
  f.set(result);
  const magnitude = w.op(v128.and, original, w.i32(0x7fffffff));
  const large = w.keep(w.op(f32x4.gt, magnitude, w.f32(largestReduced)));
  large();
  f.op(v128.any_true).if();
  // In its own lanes only: a value must not depend on its neighbours.
  w.op(v128.bitselect, callHost(w, op, "float32", [original]), w.local(result), large)();
  f.set(result).end();
  return w.local(result);
}

/** `x - q π/2` of two lanes, as float32 in the lower half. */
function reduceHalf(w: VectorWriter, x: Value, q: Value, upper: boolean): Value {
  const [wideX, wideQ] = [x, q].map((value) =>
    w.op(f64x2.promote_low_f32x4, upper ? upperHalf(w, value) : value),
  );
  const factor = w.keep(wideQ);
  const product = (part: number): Value => w.op(f64x2.mul, factor, w.f64(part));
  const rest = w.op(f64x2.sub, wideX, product(halfPiHigh));
  return w.op(f32x4.demote_f64x2_zero, w.op(f64x2.sub, rest, product(halfPiLow)));
}
