import { isFloat } from "@gradloom/engine";
import type { Gradients } from "../history.ts";
import { requireOneOf } from "../options.ts";
import { floatType, type Operand, requireNumeric, resultType, toTensor } from "../promote.ts";
import { formula, literal, record } from "../record.ts";
import type { Tensor } from "../tensor.ts";
import { binary, floatUnary, promoted, unary, zeroGradient } from "./elementwise.ts";

// Training is mostly made of these four: their rules take the inputs as arguments, and are made once.
const addRules: Gradients = [(grad) => grad, (grad) => grad];
const subRules: Gradients = [(grad) => grad, (grad) => grad.neg()];
const mulRules: Gradients = [(grad, _, _a, b) => grad.mul(b), (grad, _, a) => grad.mul(a)];
const divRules: Gradients = [
  (grad, _, _a, b) => grad.div(b),
  (grad, quotient, _a, b) => grad.mul(quotient).div(b).neg(),
];

/** `a + b`; shapes broadcast. */
export function add(a: Tensor, b: Operand): Tensor {
  const dtype = resultType("add", a, b);
  const op = dtype === "bool" ? "or" : "add";
  return binary("add", op, a.to(dtype), toTensor(b, dtype), addRules);
}

/** `a - b`; shapes broadcast. */
export function sub(a: Tensor, b: Operand): Tensor {
  const dtype = resultType("sub", a, b);
  requireNumeric("sub", dtype);
  return binary("sub", "sub", a.to(dtype), toTensor(b, dtype), subRules);
}

/** `a · b`; shapes broadcast. */
export function mul(a: Tensor, b: Operand): Tensor {
  const dtype = resultType("mul", a, b);
  const op = dtype === "bool" ? "and" : "mul";
  return binary("mul", op, a.to(dtype), toTensor(b, dtype), mulRules);
}

/** What `div` takes. */
export interface DivOptions {
  /** `"floor"` rounds the quotient down, `"trunc"` towards 0; integers stay integers then. */
  readonly roundingMode?: "floor" | "trunc";
}

/** `a / b`; shapes broadcast. Integers give float32, unless a rounding mode is given. */
export function div(a: Tensor, b: Operand, options?: DivOptions): Tensor {
  const roundingMode = options?.roundingMode;
  if (roundingMode === undefined) {
    const dtype = floatType(resultType("div", a, b));
    return binary("div", "div", a.to(dtype), toTensor(b, dtype), divRules);
  }
  const [x, y] = promoted("div", a, b);
  requireNumeric("div", x.dtype);
  requireOneOf("div", "roundingMode", roundingMode, ["floor", "trunc"]);
  const rules = [zeroGradient, zeroGradient];
  if (roundingMode === "floor") return binary("div", "floorDiv", x, y, rules);
  const node = formula(() => (isFloat(x.dtype) ? x.div(y).trunc() : truncatedQuotient(x, y)));
  return record("div", node, [x, y], rules);
}

/** Of integers: one more than the quotient rounded down where that is negative and not exact. */
function truncatedQuotient(x: Tensor, y: Tensor): Tensor {
  const isBelow = x
    .remainder(y)
    .ne(0)
    .logicalAnd(x.lt(0).ne(y.lt(0)));
  return binary("div", "floorDiv", x, y).add(isBelow.to(x.dtype));
}

/** The remainder of `a / b` rounded down: it has the sign of `b`, as in Python. Shapes broadcast. */
export function remainder(a: Tensor, b: Operand): Tensor {
  const [x, y] = promoted("remainder", a, b);
  requireNumeric("remainder", x.dtype);
  return binary("remainder", "mod", x, y, [
    (grad) => grad,
    (grad) => grad.mul(x.div(y, { roundingMode: "floor" })).neg(),
  ]);
}

/** `-x`. */
export function neg(x: Tensor): Tensor {
  requireNumeric("neg", x.dtype);
  return unary("neg", "neg", x, (grad) => grad.neg());
}

/** `|x|`. Its slope at 0 is taken as 0. */
export function abs(x: Tensor): Tensor {
  if (x.dtype === "bool") return x;
  return unary("abs", "abs", x, (grad) => grad.mul(x.sign()));
}

/** -1, 0 or 1; 0 for NaN. */
export function sign(x: Tensor): Tensor {
  if (x.dtype === "bool") return x;
  const zero = literal(0, x);
  const node = formula(() => x.gt(zero).to(x.dtype).sub(x.lt(zero).to(x.dtype)));
  return record("sign", node, [x], [zeroGradient]);
}

/** `1 / x`. */
export function reciprocal(input: Tensor): Tensor {
  const x = input.to(floatType(input.dtype));
  const node = formula(() => literal(1, x).div(x));
  return record("reciprocal", node, [x], [(grad, y) => grad.mul(y.square()).neg()]);
}

/** `√x`. */
export function sqrt(x: Tensor): Tensor {
  return floatUnary("sqrt", x, (grad, y) => grad.div(y.mul(literal(2, y))));
}

/** `1 / √x`. */
export function rsqrt(input: Tensor): Tensor {
  const x = input.to(floatType(input.dtype));
  const node = formula(() => literal(1, x).div(x.sqrt()));
  const gradient = (grad: Tensor, y: Tensor) => grad.mul(y).mul(y).mul(y).mul(literal(-0.5, y));
  return record("rsqrt", node, [x], [gradient]);
}

/** `x²`. */
export function square(x: Tensor): Tensor {
  return x.pow(2);
}

/** `⌊x⌋`. */
export function floor(x: Tensor): Tensor {
  return isFloat(x.dtype) ? unary("floor", "floor", x, zeroGradient) : x;
}

/** `⌈x⌉`. */
export function ceil(x: Tensor): Tensor {
  return isFloat(x.dtype) ? unary("ceil", "ceil", x, zeroGradient) : x;
}

/** The nearest whole number; of two, the even one. */
export function round(x: Tensor): Tensor {
  return isFloat(x.dtype) ? unary("round", "round", x, zeroGradient) : x;
}

/** Cuts the fraction off. */
export function trunc(x: Tensor): Tensor {
  return isFloat(x.dtype) ? unary("trunc", "trunc", x, zeroGradient) : x;
}

/** `start + weight · (end - start)`; shapes broadcast. Exact at both ends. */
export function lerp(start: Tensor, end: Tensor, weight: Operand): Tensor {
  const [a, b] = promoted("lerp", start, end, floatType);
  const distance = b.sub(a);
  const fromStart = () => a.add(distance.mul(weight));
  const fromEnd = () => b.sub(distance.mul(oneMinus(weight)));
  if (typeof weight === "number") return Math.abs(weight) < 0.5 ? fromStart() : fromEnd();
  return toTensor(weight, a.dtype).abs().lt(literal(0.5, a)).where(fromStart(), fromEnd());
}

function oneMinus(weight: Operand): Operand {
  return typeof weight === "object" ? literal(1, weight).sub(weight) : 1 - Number(weight);
}
