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

/** Each element operation: how many arguments it takes, and a rough cost in simple instructions. */
export const elementOps: Readonly<
  Record<ElementOp, { readonly arity: number; readonly cost: number }>
> = {
  neg: { arity: 1, cost: 1 },
  abs: { arity: 1, cost: 1 },
  floor: { arity: 1, cost: 1 },
  ceil: { arity: 1, cost: 1 },
  round: { arity: 1, cost: 1 },
  trunc: { arity: 1, cost: 1 },
  sqrt: { arity: 1, cost: 4 },
  exp: { arity: 1, cost: 20 },
  expm1: { arity: 1, cost: 25 },
  log: { arity: 1, cost: 20 },
  log1p: { arity: 1, cost: 25 },
  log2: { arity: 1, cost: 20 },
  sin: { arity: 1, cost: 20 },
  cos: { arity: 1, cost: 20 },
  tan: { arity: 1, cost: 30 },
  asin: { arity: 1, cost: 30 },
  acos: { arity: 1, cost: 30 },
  atan: { arity: 1, cost: 30 },
  sinh: { arity: 1, cost: 30 },
  cosh: { arity: 1, cost: 30 },
  tanh: { arity: 1, cost: 20 },
  erf: { arity: 1, cost: 20 },
  not: { arity: 1, cost: 1 },
  cast: { arity: 1, cost: 1 },
  add: { arity: 2, cost: 1 },
  sub: { arity: 2, cost: 1 },
  mul: { arity: 2, cost: 1 },
  div: { arity: 2, cost: 4 },
  floorDiv: { arity: 2, cost: 8 },
  mod: { arity: 2, cost: 8 },
  pow: { arity: 2, cost: 50 },
  max: { arity: 2, cost: 1 },
  min: { arity: 2, cost: 1 },
  lt: { arity: 2, cost: 1 },
  le: { arity: 2, cost: 1 },
  eq: { arity: 2, cost: 1 },
  ne: { arity: 2, cost: 1 },
  and: { arity: 2, cost: 1 },
  or: { arity: 2, cost: 1 },
  xor: { arity: 2, cost: 1 },
  shl: { arity: 2, cost: 1 },
  shr: { arity: 2, cost: 1 },
  where: { arity: 3, cost: 1 },
  philox: { arity: 4, cost: 100 },
};

/** The ways to reduce many elements to one. `argmax` and `argmin` give the position of the first. */
export type ReduceOp = "sum" | "prod" | "max" | "min" | "argmax" | "argmin";
