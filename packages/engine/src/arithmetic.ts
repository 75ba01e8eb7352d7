import { erf } from "./erf.ts";

// What arithmetic on one number or a pair means, all that JavaScript does not have as an operator: backends share it.

/** An operation that is a function of one float. */
export type FloatFunction =
  | "exp"
  | "expm1"
  | "log"
  | "log1p"
  | "log2"
  | "sin"
  | "cos"
  | "tan"
  | "asin"
  | "acos"
  | "atan"
  | "sinh"
  | "cosh"
  | "tanh"
  | "erf";

/** What they compute. */
export const floatFunctions: Readonly<Record<FloatFunction, (x: number) => number>> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  log2: Math.log2,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  erf,
};

/** Whether an operation is one of {@link floatFunctions}. */
export function isFloatFunction(op: string): op is FloatFunction {
  return op in floatFunctions;
}

/** The remainder with the sign of the divisor. */
export function modulo(a: number, b: number): number {
  const rest = a % b; // exact, with the sign of a
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** `⌊a / b⌋`, also where `a / b` would round up to an integer. */
export function floorDivide(a: number, b: number): number {
  if (b === 0) return a / b;
  const rest = a % b;
  const quotient = (a - rest) / b - (rest !== 0 && rest < 0 !== b < 0 ? 1 : 0);
  return Math.round(quotient);
}

/** The remainder of integers: 0 if the divisor is. */
export function integerModulo(a: number, b: number): number {
  return b === 0 ? 0 : modulo(a, b);
}

/** The quotient of integers, rounded down: 0 if the divisor is. */
export function integerFloorDivide(a: number, b: number): number {
  return b === 0 ? 0 : Math.floor(a / b) | 0;
}

/** C's `pow`, which differs from JavaScript's where the base is 1 or -1. */
export function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return a ** b;
}

/** Wraps around. A negative exponent gives the power cut off: 0, unless the base is 1 or -1. */
export function integerPower(base: number, exponent: number): number {
  if (exponent < 0) return base === 1 ? 1 : base === -1 ? (exponent % 2 === 0 ? 1 : -1) : 0;
  let product = 1;
  for (let square = base, rest = exponent; rest > 0; rest >>= 1) {
    if (rest & 1) product = Math.imul(product, square);
    square = Math.imul(square, square);
  }
  return product;
}
