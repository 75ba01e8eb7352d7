import { erf, floorDivide, integerPower, modulo, power } from "@gradloom/engine";

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
