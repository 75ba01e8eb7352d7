import type { ElementOp } from "@gradloom/engine";
import * as f32x4 from "./opcodes/f32x4.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";
import { sine } from "./sine.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/** A float32 function of all four lanes at once; what it returns is to be evaluated at once. */
type VectorFunction = (w: VectorWriter, x: Value) => Value;

/**
 * The functions of float32 that are written inline. The coefficients are this project's own minimax fits
 * (least squares, weights refined by Lawson's iteration) of the error relative to the function. Largest
 * errors found by the test, over all exponents, in units in the last place: exp 2.5, expm1 1.6, log 0.9,
 * log1p 1.5, log2 1.6, tanh 3.0, erf 2.8, sin 1.8, cos 1.7, with multiply and add separate or fused.
 *
 * - Reference: Muller, Elementary Functions, 3rd edition, 2016, on the reductions of arguments.
 */
export const vectorMath: Partial<Record<ElementOp, VectorFunction>> = {
  exp,
  expm1,
  log: (w, x) => logarithm(w, x, "log"),
  log2: (w, x) => logarithm(w, x, "log2"),
  log1p,
  tanh,
  erf,
  sin: (w, x) => sine(w, x, "sin"),
  cos: (w, x) => sine(w, x, "cos"),
};

/** Those of them without branches, long chains of dependent steps: several at once take little longer than one. */
export const longChains: ReadonlySet<ElementOp> = new Set([
  "exp",
  "expm1",
  "log",
  "log2",
  "log1p",
  "tanh",
  "erf",
]);

// ln 2 in two parts: products of the first with an integer below 2¹³ are exact in float32.
const ln2High = 0.693359375;
const ln2Low = -2.1219444005469057e-4;
/** Adding it leaves the nearest integer in the lowest bits of a float32. */
const integerShift = 1.5 * 2 ** 23;

// Coefficients are in the order of falling powers.
const expCoefficients = [0.008290272, 0.04189816, 0.16667638, 0.49999148, 0.9999997, 1];
const expm1Coefficients = [0.00138825163, 0.0083665471, 0.0416672, 0.16666543, 0.49999998];
const logCoefficients = [0.29873626, 0.39977482, 0.66666777];
const exp2m1Coefficients = [
  0.00015403512,
  0.0013390758,
  0.009618238,
  0.055503574,
  0.240226498,
  Math.LN2,
];
// 4 (1 - (1 - erf x)^¼) / x - 1; towards the end a little more, so that it comes to 1.
const erfCoefficients = [
  -1.0579198e-5, 0.00013866952, -0.00049184664, -0.00096325619, 0.0080011087, 0.0046784091,
  -0.074404866, -0.061871592, 0.4774667, 0.1283791,
];

/** Limits `x`, and passes NaN on. */
function clamp(w: VectorWriter, x: Value, low: number, high: number): Value {
  return w.op(f32x4.pmin, w.op(f32x4.pmax, x, w.f32(low)), w.f32(high));
}

/** `x = n ln 2 + r`: keeps `n`, as an integer in the lowest bits plus `bias`, and `r`. */
function reduce(w: VectorWriter, x: Value, bias: number): [shifted: Value, r: Value] {
  const shift = w.f32(integerShift + bias);
  const shifted = w.keep(w.op(f32x4.add, w.op(f32x4.mul, x, w.f32(Math.LOG2E)), shift));
  const n = w.keep(w.op(f32x4.sub, shifted, shift));
  const r = w.keep(w.nmadd(n, w.f32(ln2Low), w.nmadd(n, w.f32(ln2High), x)));
  return [shifted, r];
}

/**
 * `eˣ = 2ⁿ eʳ`. The scale is applied in two halves, neither of which leaves the range of exponents. Of the lowest `x`, as of
 * `-∞` where attention is masked, both are 0: numbers below the normal ones take processors a hundred cycles.
 */
function exp(w: VectorWriter, x: Value): Value {
  const limited = w.keep(clamp(w, x, -176, 89));
  // With both biases of 127 in it, half of the integer is the exponent field of 2^⌊n/2⌋.
  const [shifted, r] = reduce(w, limited, 254);
  const half = w.keep(w.shift(i32x4.shl, w.shift(i32x4.shr_s, shifted, 1), 23));
  const rest = w.keep(w.op(i32x4.sub, w.shift(i32x4.shl, shifted, 23), half));
  return w.op(f32x4.mul, w.op(f32x4.mul, w.quickPolynomial(r, expCoefficients), half), rest);
}

/** `eˣ - 1 = 2 (2ⁿ⁻¹ (eʳ - 1) + (2ⁿ⁻¹ - ½))`: the scale does not overflow before the result does. */
function expm1(w: VectorWriter, x: Value): Value {
  const original = w.keep(x);
  const limited = w.keep(clamp(w, original, -18, 89));
  const [shifted, r] = reduce(w, limited, 126);
  const scale = w.keep(w.shift(i32x4.shl, shifted, 23));
  const square = w.op(f32x4.mul, r, r);
  const p = w.madd(square, w.polynomial(r, expm1Coefficients), r);
  const half = w.keep(w.madd(p, scale, w.op(f32x4.sub, scale, w.f32(0.5))));
  // For the sign of 0: a result that is not 0 has the sign of x in any case.
  return withSign(w, w.op(f32x4.add, half, half), original);
}

/** `2ˣ - 1` for `x` in [-27, 27], but not the sign of 0: with `x = n + r`, `2ⁿ (2ʳ - 1) + (2ⁿ - 1)`. */
function exp2m1(w: VectorWriter, x: Value): Value {
  const shift = w.f32(integerShift + 127);
  const shifted = w.keep(w.op(f32x4.add, x, shift));
  const r = w.keep(w.op(f32x4.sub, x, w.op(f32x4.sub, shifted, shift)));
  const scale = w.keep(w.shift(i32x4.shl, shifted, 23));
  const p = w.op(f32x4.mul, r, w.polynomial(r, exp2m1Coefficients));
  return w.madd(p, scale, w.op(f32x4.sub, scale, w.f32(1)));
}

/** `tanh |x| = p / (p + 2)` with `p = e^(2|x|) - 1`. */
function tanh(w: VectorWriter, x: Value): Value {
  const original = w.keep(x);
  const size = w.op(f32x4.pmin, magnitude(w, original), w.f32(9.02));
  const exponent = w.keep(w.op(f32x4.mul, size, w.f32(2 * Math.LOG2E)));
  const p = w.keep(exp2m1(w, exponent));
  return withSign(w, w.op(f32x4.div, p, w.op(f32x4.add, p, w.f32(2))), original);
}

/**
 * `erf |x| = 1 - (1 - v/4)⁴` with `v = |x| (1 + P(|x|))`: a power of what is nearly a straight line follows the
 * tail. It is taken in two steps `v ↦ v - c v²`, which keep the digits of small `x`.
 */
function erf(w: VectorWriter, x: Value): Value {
  const original = w.keep(x);
  const size = w.keep(w.op(f32x4.pmin, magnitude(w, original), w.f32(3.95)));
  let y = w.keep(w.madd(w.quickPolynomial(size, erfCoefficients), size, size));
  for (const factor of [1 / 8, 1 / 4]) {
    y = w.keep(w.nmadd(w.op(f32x4.mul, y, w.f32(factor)), y, y));
  }
  return withSign(w, y, original);
}

function magnitude(w: VectorWriter, x: Value): Value {
  return w.op(v128.and, x, w.i32(0x7fffffff));
}

/** A value that is not below 0, with the sign of another. */
function withSign(w: VectorWriter, size: Value, sign: Value): Value {
  return w.op(v128.or, size, w.op(v128.and, sign, w.i32(-0x80000000)));
}

/**
 * `ln x = e ln 2 + ln(1 + f)` with `x = 2ᵉ (1 + f)`, `1 + f` in [√½, √2); and with `s = f / (2 + f)`,
 * `ln(1 + f) = f - s (f - R(s²))`, as in fdlibm's `__ieee754_log`.
 */
function logarithm(w: VectorWriter, x: Value, op: "log" | "log2"): Value {
  const original = w.keep(x);
  const [normal, shift] = scaleDenormals(w, original);
  const [e, f] = splitExponent(w, normal);
  const exponent = w.op(f32x4.sub, e, shift);
  if (op === "log2") {
    const y = w.keep(w.madd(logOfFraction(w, f), w.f32(Math.LOG2E), exponent));
    return specialLogarithms(w, original, y);
  }
  const kept = w.keep(exponent);
  const y = w.keep(w.madd(kept, w.f32(ln2High), w.madd(kept, w.f32(ln2Low), logOfFraction(w, f))));
  return specialLogarithms(w, original, y);
}

/** `ln(1 + x)`: of `u = 1 + x` rounded, put right by what the rounding has lost, `(x - (u - 1)) / u`. */
function log1p(w: VectorWriter, x: Value): Value {
  const original = w.keep(x);
  const u = w.keep(w.op(f32x4.add, original, w.f32(1)));
  const [e, f] = splitExponent(w, u);
  const y = w.keep(w.madd(e, w.f32(ln2High), w.madd(e, w.f32(ln2Low), logOfFraction(w, f))));
  const lost = w.op(f32x4.sub, original, w.op(f32x4.sub, u, w.f32(1)));
  const corrected = w.keep(w.op(f32x4.add, y, w.op(f32x4.div, lost, u)));
  const special = w.keep(specialLogarithms(w, u, corrected));
  // Where 1 + x is 1, x itself is the answer; this also keeps the sign of 0.
  const tiny = w.op(f32x4.eq, u, w.f32(1));
  return w.op(v128.bitselect, original, special, tiny);
}

/** Multiplies what is below the normal numbers by 2²³. */
function scaleDenormals(w: VectorWriter, x: Value): [x: Value, shift: Value] {
  const small = w.keep(w.op(f32x4.lt, x, w.f32(2 ** -126)));
  const scaled = w.op(f32x4.mul, x, w.f32(2 ** 23));
  return [w.keep(w.op(v128.bitselect, scaled, x, small)), w.op(v128.and, w.f32(23), small)];
}

function splitExponent(w: VectorWriter, x: Value): [e: Value, f: Value] {
  // The bits of √½ as the zero of exponents: what is added is in front of the mantissa of 1 + f.
  const root = 0x3f3504f3;
  const bits = w.keep(w.op(i32x4.sub, x, w.i32(root)));
  const e = w.keep(w.op(f32x4.convert_i32x4_s, w.shift(i32x4.shr_s, bits, 23)));
  const mantissa = w.op(i32x4.add, w.op(v128.and, bits, w.i32(0x7fffff)), w.i32(root));
  return [e, w.keep(w.op(f32x4.sub, mantissa, w.f32(1)))];
}

function logOfFraction(w: VectorWriter, f: Value): Value {
  const s = w.keep(w.op(f32x4.div, f, w.op(f32x4.add, f, w.f32(2))));
  const square = w.keep(w.op(f32x4.mul, s, s));
  const r = w.op(f32x4.mul, square, w.polynomial(square, logCoefficients));
  return w.nmadd(s, w.op(f32x4.sub, f, r), f);
}

/** NaN below 0, -∞ at 0, ∞ at ∞, NaN at NaN. */
function specialLogarithms(w: VectorWriter, x: Value, y: Value): Value {
  const zero = w.f32(0);
  // Neither above 0 nor below ∞, which is also where x is NaN.
  const finite = w.op(v128.and, w.op(f32x4.gt, x, zero), w.op(f32x4.lt, x, w.f32(Infinity)));
  const atZero = w.op(v128.and, w.op(f32x4.eq, x, zero), w.f32(-Infinity));
  const negative = w.op(f32x4.lt, x, zero);
  const special = w.op(v128.or, w.op(v128.or, w.op(f32x4.max, x, zero), atZero), negative);
  return w.op(v128.bitselect, y, special, finite);
}
