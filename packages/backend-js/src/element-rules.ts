import {
  type DType,
  type ElementOp,
  type FloatFunction,
  floatFunctions,
  floorDivide,
  integerFloorDivide,
  integerModulo,
  integerPower,
  isFloat,
  isFloatFunction,
  modulo,
  philox,
  power,
} from "@gradloom/engine";

/** An element operation on numbers. `word` is for `philox`. */
export type Rule = (a: number, b: number, c: number, d: number, word: number) => number;

type Kind = "float" | "integer" | "bool";

/**
 * Brings the exact result of an operation, or nearly the exact one, into a dtype: floats round, integers
 * wrap around.
 */
export const fit: Readonly<Record<DType, (x: number) => number>> = {
  float32: Math.fround,
  float64: (x) => x,
  int32: (x) => x | 0,
  uint8: (x) => x & 0xff,
  bool: (x) => Number(x !== 0),
};

const floats = (rule: Rule): Partial<Record<Kind, Rule>> => ({ float: rule });
const integers = (rule: Rule): Partial<Record<Kind, Rule>> => ({ integer: rule });
const numbers = (float: Rule, integer: Rule = float): Partial<Record<Kind, Rule>> => ({
  float,
  integer,
});
const bits = (integer: Rule, bool: Rule = integer): Partial<Record<Kind, Rule>> => ({
  integer,
  bool,
});
const all = (rule: Rule): Partial<Record<Kind, Rule>> => ({
  float: rule,
  integer: rule,
  bool: rule,
});

/** What each other operation does, by the kind of its operands. A kind that is missing is not allowed. */
const rules: Readonly<Record<Exclude<ElementOp, FloatFunction>, Partial<Record<Kind, Rule>>>> = {
  neg: numbers((a) => -a),
  abs: numbers(Math.abs),
  floor: numbers(Math.floor),
  ceil: numbers(Math.ceil),
  round: numbers(roundHalfToEven),
  trunc: numbers(Math.trunc),
  sqrt: floats(Math.sqrt),
  not: bits(
    (a) => ~a,
    (a) => 1 - a,
  ),
  cast: { float: saturate, integer: (a) => a, bool: (a) => a },
  add: numbers((a, b) => a + b),
  sub: numbers((a, b) => a - b),
  mul: numbers((a, b) => a * b, Math.imul),
  div: floats((a, b) => a / b),
  floorDiv: numbers(floorDivide, integerFloorDivide),
  mod: numbers(modulo, integerModulo),
  pow: numbers(power, integerPower),
  max: all((a, b) => Math.max(a, b)),
  min: all((a, b) => Math.min(a, b)),
  lt: all((a, b) => Number(a < b)),
  le: all((a, b) => Number(a <= b)),
  eq: all((a, b) => Number(a === b)),
  ne: all((a, b) => Number(a !== b)),
  and: bits((a, b) => a & b),
  or: bits((a, b) => a | b),
  xor: bits((a, b) => a ^ b),
  shl: integers((a, b) => a << b),
  shr: integers((a, b) => a >>> b),
  where: all((condition, a, b) => (condition !== 0 ? a : b)),
  philox: integers(philox),
};

/** The operation on operands of one dtype with a result of another, or `undefined`: not allowed. */
export function elementRule(op: ElementOp, operands: DType, result: DType): Rule | undefined {
  const kind = isFloat(operands) ? "float" : operands === "bool" ? "bool" : "integer";
  const toFloatOrBool = op === "cast" && (isFloat(result) || result === "bool");
  const byKind = isFloatFunction(op) ? floats(floatFunctions[op]) : rules[op];
  const rule: Rule | undefined = toFloatOrBool ? (a) => a : byKind[kind];
  if (!rule) return undefined;
  const fitResult = fit[result];
  return (a, b, c, d, word) => fitResult(rule(a, b, c, d, word));
}

function roundHalfToEven(x: number): number {
  const up = Math.round(x); // halves towards +∞
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

/** Cuts the fraction off, within the limits of int32. */
function saturate(x: number): number {
  if (Number.isNaN(x)) return 0;
  return Math.trunc(Math.min(Math.max(x, -(2 ** 31)), 2 ** 31 - 1));
}
