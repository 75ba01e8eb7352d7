import { erf } from "@gradloom/engine";

/** The name of a function in {@link hostMath}. */
export type HostFunction =
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
  | "erf"
  | "mod"
  | "floorDiv"
  | "pow"
  | "integerMod"
  | "integerFloorDiv"
  | "integerPow"
  | "shl"
  | "shr";

/**
 * Functions of doubles that kernel modules import as `h.<name>`, for what is rare or hard to vectorise:
 * kernels call them lane by lane.
 */
export const hostMath: Readonly<Record<HostFunction, (a: number, b: number) => number>> = {
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
  mod: modulo,
  floorDiv: floorDivide,
  pow: power,
  integerMod: (a, b) => (b === 0 ? 0 : modulo(a, b)),
  integerFloorDiv: (a, b) => (b === 0 ? 0 : Math.floor(a / b) | 0),
  integerPow: integerPower,
  shl: (a, b) => a << b,
  shr: (a, b) => a >>> b,
};

/** The remainder with the sign of the divisor. */
function modulo(a: number, b: number): number {
  const rest = a % b; // exact, with the sign of a
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** `⌊a / b⌋`, also where `a / b` would round up to an integer. */
function floorDivide(a: number, b: number): number {
  if (b === 0) return a / b;
  const rest = a % b;
  const quotient = (a - rest) / b - (rest !== 0 && rest < 0 !== b < 0 ? 1 : 0);
  return Math.round(quotient);
}

/** C's `pow`, which differs from JavaScript's where the base is 1 or -1. */
function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return a ** b;
}

/** Wraps around. A negative exponent gives the power cut off: 0, unless the base is 1 or -1. */
function integerPower(base: number, exponent: number): number {
  if (exponent < 0) return base === 1 ? 1 : base === -1 ? (exponent % 2 === 0 ? 1 : -1) : 0;
  let product = 1;
  for (let square = base, rest = exponent; rest > 0; rest >>= 1) {
    if (rest & 1) product = Math.imul(product, square);
    square = Math.imul(square, square);
  }
  return product;
}
