import { literal } from "../record.ts";
import type { Tensor } from "../tensor.ts";
import { floatUnary } from "./elementwise.ts";

/** `e^x`. */
export function exp(x: Tensor): Tensor {
  return floatUnary("exp", x, (grad, y) => grad.mul(y));
}

/** `e^x - 1`, exact near 0. */
export function expm1(x: Tensor): Tensor {
  return floatUnary("expm1", x, (grad, y) => grad.mul(y.add(literal(1, y))));
}

/** The natural logarithm. */
export function log(input: Tensor): Tensor {
  return floatUnary("log", input, (grad, _, x) => grad.div(x));
}

/** `log(1 + x)`, exact near 0. */
export function log1p(input: Tensor): Tensor {
  return floatUnary("log1p", input, (grad, _, x) => grad.div(x.add(literal(1, x))));
}

/** The logarithm to base 2. */
export function log2(input: Tensor): Tensor {
  return floatUnary("log2", input, (grad, _, x) => grad.div(x.mul(literal(Math.LN2, x))));
}

/** The sine of an angle in radians. */
export function sin(input: Tensor): Tensor {
  return floatUnary("sin", input, (grad, _, x) => grad.mul(x.cos()));
}

/** The cosine of an angle in radians. */
export function cos(input: Tensor): Tensor {
  return floatUnary("cos", input, (grad, _, x) => grad.mul(x.sin()).neg());
}

/** The tangent of an angle in radians. */
export function tan(input: Tensor): Tensor {
  return floatUnary("tan", input, (grad, y) => grad.mul(y.square().add(literal(1, y))));
}

/** The angle in `[-π/2, π/2]` whose sine is `x`. */
export function asin(input: Tensor): Tensor {
  return floatUnary("asin", input, (grad, _, x) => grad.mul(oneMinusSquare(x).rsqrt()));
}

/** The angle in `[0, π]` whose cosine is `x`. */
export function acos(input: Tensor): Tensor {
  return floatUnary("acos", input, (grad, _, x) => grad.mul(oneMinusSquare(x).rsqrt()).neg());
}

/** The angle in `[-π/2, π/2]` whose tangent is `x`. */
export function atan(input: Tensor): Tensor {
  return floatUnary("atan", input, (grad, _, x) => grad.div(x.square().add(literal(1, x))));
}

/** `(e^x - e^-x) / 2`. */
export function sinh(input: Tensor): Tensor {
  return floatUnary("sinh", input, (grad, _, x) => grad.mul(x.cosh()));
}

/** `(e^x + e^-x) / 2`. */
export function cosh(input: Tensor): Tensor {
  return floatUnary("cosh", input, (grad, _, x) => grad.mul(x.sinh()));
}

/** `sinh(x) / cosh(x)`. */
export function tanh(input: Tensor): Tensor {
  return floatUnary("tanh", input, (grad, y) => grad.mul(oneMinusSquare(y)));
}

/** The error function, `2/√π · ∫₀ˣ e^(-t²) dt`. */
export function erf(input: Tensor): Tensor {
  return floatUnary("erf", input, (grad, _, x) =>
    grad.mul(x.square().neg().exp()).mul(literal(2 / Math.sqrt(Math.PI), x)),
  );
}

function oneMinusSquare(x: Tensor): Tensor {
  return literal(1, x).sub(x.square());
}
