import type { FloatFunction } from "./arithmetic.ts";

/**
 * The scalar operations that kernels apply to each element. Everything else that is element-wise is
 * composed of these.
 *
 * - `round` rounds halves to even; `max` and `min` give NaN if either side is NaN.
 * - `div` is for floats. `floorDiv` and `mod` are for floats and integers and follow Python: the
 *   quotient is rounded down, the remainder has the sign of the divisor; an integer division by 0
 *   gives 0.
 * - `lt le eq ne` give `bool`. `and or xor not` are bitwise on integers and logical on `bool`;
 *   `shl` and `shr` shift `int32` by 0…31, `shr` fills with zeros.
 * - Integers wrap around, `uint8` at 8 bits.
 * - `where(condition, a, b)` takes a `bool` first.
 * - `cast` to an integer cuts the fraction off, saturates at the limits of int32 and gives 0 for NaN;
 *   to `uint8` it then keeps the lowest 8 bits; to `bool` it is `x != 0`.
 * - `philox(counter, stream, key0, key1)` of `int32`s is one 32-bit word of Philox4x32-10 with the
 *   counter `(counter, 0, stream, 0)`; the instruction says which of the four words.
 */
export type ElementOp =
  | "neg"
  | "abs"
  | "floor"
  | "ceil"
  | "round"
  | "trunc"
  | "sqrt"
  | FloatFunction
  | "not"
  | "cast"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "floorDiv"
  | "mod"
  | "pow"
  | "max"
  | "min"
  | "lt"
  | "le"
  | "eq"
  | "ne"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr"
  | "where"
  | "philox";

/** Each element operation, with a rough cost in simple instructions. */
export const elementOps: Readonly<Record<ElementOp, number>> = {
  neg: 1,
  abs: 1,
  floor: 1,
  ceil: 1,
  round: 1,
  trunc: 1,
  sqrt: 4,
  exp: 20,
  expm1: 25,
  log: 20,
  log1p: 25,
  log2: 20,
  sin: 20,
  cos: 20,
  tan: 30,
  asin: 30,
  acos: 30,
  atan: 30,
  sinh: 30,
  cosh: 30,
  tanh: 20,
  erf: 20,
  not: 1,
  cast: 1,
  add: 1,
  sub: 1,
  mul: 1,
  div: 4,
  floorDiv: 8,
  mod: 8,
  pow: 50,
  max: 1,
  min: 1,
  lt: 1,
  le: 1,
  eq: 1,
  ne: 1,
  and: 1,
  or: 1,
  xor: 1,
  shl: 1,
  shr: 1,
  where: 1,
  philox: 100,
};

/** What an operation costs for each element, if it is one that is done element by element, else 0. */
export function elementCost(op: string): number {
  return op in elementOps ? elementOps[op as ElementOp] : 0;
}

const unary: readonly ElementOp[] = [
  "neg",
  "abs",
  "floor",
  "ceil",
  "round",
  "trunc",
  "sqrt",
  "exp",
  "expm1",
  "log",
  "log1p",
  "log2",
  "sin",
  "cos",
  "tan",
  "asin",
  "acos",
  "atan",
  "sinh",
  "cosh",
  "tanh",
  "erf",
  "not",
  "cast",
];

/** How many arguments an element operation takes. */
export function elementArity(op: ElementOp): number {
  if (op === "philox") return 4;
  return op === "where" ? 3 : unary.includes(op) ? 1 : 2;
}

/** The ways to reduce many elements to one. `argmax` and `argmin` give the position of the first. */
export type ReduceOp = "sum" | "prod" | "max" | "min" | "argmax" | "argmin";
