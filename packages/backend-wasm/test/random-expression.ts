import {
  type DType,
  type ElementInstruction,
  type ElementOp,
  type Instruction,
  isFloat,
  type ReduceOp,
} from "@gradloom/engine";
import type { Draw } from "./draw.ts";

/** A value of a stage's code, and between which limits it lies (unless it is NaN). */
export interface Value {
  readonly position: number;
  readonly dtype: DType;
  readonly low: number;
  readonly high: number;
}

const dtypes: readonly DType[] = ["float32", "float64", "int32", "uint8", "bool"];

/** What a kernel works with: its dtypes, as often as they are to be picked. */
export type Palette = readonly DType[];

// Kernels for floats of one size and for all kinds may well be compiled in different ways.
const mostlyFloat32: Palette = ["float32", "float32", "float32", "float32", "int32", "bool"];
const withoutFloat64: Palette = ["float32", "float32", "int32", "int32", "uint8", "bool"];
const palettes: readonly Palette[] = [mostlyFloat32, mostlyFloat32, withoutFloat64, dtypes];

export function drawPalette(draw: Draw): Palette {
  return draw.pick(palettes);
}

/** The limits of what a dtype can hold. */
export function limits(dtype: DType): [number, number] {
  switch (dtype) {
    case "float32":
    case "float64":
      return [-Infinity, Infinity];
    case "int32":
      return [-(2 ** 31), 2 ** 31 - 1];
    case "uint8":
      return [0, 255];
    case "bool":
      return [0, 1];
    default:
      throw dtype satisfies never;
  }
}

/** Straight-line code that grows by random instructions on what is there. */
export class Expression {
  readonly code: Instruction[] = [];
  /** All values but constants. */
  readonly values: Value[] = [];
  readonly draw: Draw;
  readonly #palette: Palette;
  readonly #used = new Set<Value>();

  constructor(draw: Draw, palette: Palette) {
    this.draw = draw;
    this.#palette = palette;
  }

  /** A dtype of the palette, among these. */
  dtype(among: readonly DType[] = dtypes): DType {
    const own = this.#palette.filter((dtype) => among.includes(dtype));
    return this.draw.pick(own.length > 0 ? own : among);
  }

  push(instruction: Instruction, low: number, high: number): Value {
    const { dtype } = instruction;
    const [lowest, highest] = limits(dtype);
    const value = {
      position: this.code.length,
      dtype,
      // An integer may wrap, and what is not a number says nothing.
      low: isFloat(dtype) && !Number.isNaN(low) ? low : lowest,
      high: isFloat(dtype) && !Number.isNaN(high) ? high : highest,
    };
    this.code.push(instruction);
    if (instruction.op !== "constant") this.values.push(value);
    return value;
  }

  /** The values that nothing has used so far. */
  get unused(): Value[] {
    return this.values.filter((value) => !this.#used.has(value));
  }

  /** One of these values: mostly one that nothing has used, so that little of the code is dead. */
  choose(values: readonly Value[]): Value {
    const unused = values.filter((value) => !this.#used.has(value));
    const value = this.draw.pick(unused.length > 0 && !this.draw.chance(30) ? unused : values);
    this.#used.add(value);
    return value;
  }

  constant(dtype: DType, value: number): Value {
    return this.push({ op: "constant", dtype, value }, value, value);
  }

  element(
    op: ElementOp,
    dtype: DType,
    args: readonly Value[],
    [low, high]: readonly [number, number] = limits(dtype),
    word?: number,
  ): Value {
    for (const arg of args) this.#used.add(arg);
    const plain: ElementInstruction = { op, dtype, args: args.map(({ position }) => position) };
    return this.push(word === undefined ? plain : { ...plain, word }, low, high);
  }

  /** A value of this dtype: one that is there, or a cast of one, or seldom a constant. */
  value(dtype: DType): Value {
    const own = this.values.filter((value) => value.dtype === dtype);
    if (this.values.length === 0 || this.draw.chance(8)) {
      return this.constant(dtype, this.draw.int(0, dtype === "bool" ? 1 : 9));
    }
    if (own.length > 0 && !this.draw.chance(10)) return this.choose(own);
    return this.cast(this.choose(this.values), dtype);
  }

  cast(value: Value, dtype: DType): Value {
    if (value.dtype === dtype) return value;
    const range: [number, number] = isFloat(dtype) ? [value.low, value.high] : limits(dtype);
    return this.element("cast", dtype, [value], range);
  }

  /** The value itself if it lies between the limits, else cut off there; seldom it is let through. */
  clamp(value: Value, low: number, high: number): Value {
    if (this.draw.chance(3)) return value;
    let result = value;
    const { dtype } = value;
    if (result.low < low) {
      const bound = this.constant(dtype, low);
      result = this.element("max", dtype, [result, bound], [low, Math.max(low, result.high)]);
    }
    if (result.high > high) {
      const bound = this.constant(dtype, high);
      result = this.element("min", dtype, [result, bound], [Math.min(high, result.low), high]);
    }
    return result;
  }

  /** Grows by one operation, whichever. */
  grow(): Value {
    const op = this.draw.pick(operations);
    return grow[op](this, op);
  }

  /** Sums or products of a value up to each of `count` points. */
  scan(reduce: "sum" | "prod", count: number): Value {
    const { position, dtype, low, high } = this.reducible(reduce);
    const range = reduce === "sum" ? [low * count, high * count] : limits(dtype);
    return this.push({ op: "scan", dtype, arg: position, reduce }, range[0], range[1]);
  }

  /** A value that can be reduced by `op` without getting out of hand. */
  reducible(op: ReduceOp): Value {
    const dtype = this.dtype(op === "sum" || op === "prod" ? numbers : dtypes);
    const value = this.value(dtype);
    if (!isFloat(dtype)) return value;
    return op === "prod" ? this.clamp(value, -1.25, 1.25) : this.clamp(value, -1e4, 1e4);
  }
}

type Grow = (code: Expression, op: ElementOp) => Value;

const numbers: readonly DType[] = ["float32", "float64", "int32", "uint8"];
const floats: readonly DType[] = ["float32", "float64"];

/** A function of a float between limits: what it is between others, or by which it grows. */
function floatOp(
  low: number,
  high: number,
  range: readonly [number, number] | ((x: number) => number),
): Grow {
  return (code, op) => {
    const x = code.clamp(code.value(code.dtype(floats)), low, high);
    const results = typeof range === "function" ? ([range(x.low), range(x.high)] as const) : range;
    return code.element(op, x.dtype, [x], results);
  };
}

/** A function of a number whose results lie between limits that follow from those of the argument. */
function numberOp(range: (low: number, high: number) => [number, number]): Grow {
  return (code, op) => {
    const x = code.value(code.dtype(numbers));
    return code.element(op, x.dtype, [x], range(x.low, x.high));
  };
}

/** Two numbers; large results are cut off, so that what follows has something to work with. */
function arithmetic(rule: (a: number, b: number) => number): Grow {
  return (code, op) => {
    const dtype = code.dtype(numbers);
    const a = code.value(dtype);
    const b = code.value(dtype);
    const corners = [rule(a.low, b.low), rule(a.low, b.high), rule(a.high, b.low)];
    corners.push(rule(a.high, b.high));
    const result = code.element(op, dtype, [a, b], [Math.min(...corners), Math.max(...corners)]);
    return isFloat(dtype) ? code.clamp(result, -1e6, 1e6) : result;
  };
}

/** Division: the divisor of floats stays away from 0. */
function division(): Grow {
  return (code, op) => {
    const dtype = code.dtype(op === "div" ? floats : numbers);
    const dividend = code.value(dtype);
    const b = code.value(dtype);
    if (!isFloat(dtype)) return code.element(op, dtype, [dividend, b]);
    // The remainder of a large number says nothing: it is off by the quotient times the divisor's error.
    const a = op === "mod" ? code.clamp(dividend, -64, 64) : dividend;
    const positive = code.clamp(b, 0.125, 1000);
    const divisor = code.draw.chance(30) ? code.element("neg", dtype, [positive]) : positive;
    const size = 8 * Math.max(Math.abs(a.low), Math.abs(a.high));
    const range: [number, number] = op === "mod" ? [-1000, 1000] : [-size - 1, size + 1];
    return code.clamp(code.element(op, dtype, [a, divisor], range), -1e6, 1e6);
  };
}

function comparison(): Grow {
  return (code, op) => {
    const dtype = code.dtype();
    return code.element(op, "bool", [code.value(dtype), code.value(dtype)]);
  };
}

function bits(): Grow {
  return (code, op) => {
    const dtype = code.dtype(["int32", "uint8", "bool"]);
    const args = op === "not" ? [code.value(dtype)] : [code.value(dtype), code.value(dtype)];
    return code.element(op, dtype, args);
  };
}

function shift(): Grow {
  return (code, op) => {
    const mask = code.constant("int32", 31);
    const count = code.element("and", "int32", [code.value("int32"), mask]);
    return code.element(op, "int32", [code.value("int32"), count]);
  };
}

function extreme(rule: (a: number, b: number) => number): Grow {
  return (code, op) => {
    const dtype = code.dtype();
    const [a, b] = [code.value(dtype), code.value(dtype)];
    return code.element(op, dtype, [a, b], [rule(a.low, b.low), rule(a.high, b.high)]);
  };
}

const grow: Readonly<Record<ElementOp, Grow>> = {
  neg: numberOp((low, high) => [-high, -low]),
  abs: numberOp((low, high) => [0, Math.max(Math.abs(low), Math.abs(high))]),
  floor: numberOp((low, high) => [Math.floor(low), Math.floor(high)]),
  ceil: numberOp((low, high) => [Math.ceil(low), Math.ceil(high)]),
  round: numberOp((low, high) => [Math.floor(low), Math.ceil(high)]),
  trunc: numberOp((low, high) => [Math.trunc(low), Math.trunc(high)]),
  sqrt: floatOp(0, 1e6, Math.sqrt),
  exp: floatOp(-30, 12, Math.exp),
  expm1: floatOp(-30, 12, Math.expm1),
  log: floatOp(1e-6, 1e6, Math.log),
  log1p: floatOp(-0.875, 1e6, Math.log1p),
  log2: floatOp(1e-6, 1e6, Math.log2),
  sin: floatOp(-100, 100, [-1, 1]),
  cos: floatOp(-100, 100, [-1, 1]),
  tan: floatOp(-1.5, 1.5, Math.tan),
  asin: floatOp(-1, 1, Math.asin),
  acos: floatOp(-1, 1, [0, 3.2]),
  atan: floatOp(-1e6, 1e6, Math.atan),
  sinh: floatOp(-10, 10, Math.sinh),
  cosh: floatOp(-10, 10, [1, 12000]),
  tanh: floatOp(-Infinity, Infinity, Math.tanh),
  erf: floatOp(-Infinity, Infinity, [-1, 1]),
  not: bits(),
  cast: (code) => code.cast(code.choose(code.values), code.dtype()),
  add: arithmetic((a, b) => a + b),
  sub: arithmetic((a, b) => a - b),
  mul: arithmetic((a, b) => a * b),
  div: division(),
  floorDiv: division(),
  mod: division(),
  pow: (code) => {
    const dtype = code.dtype(numbers);
    if (!isFloat(dtype)) {
      return code.element("pow", dtype, [code.value(dtype), code.value(dtype)]);
    }
    const exponent = code.clamp(code.value(dtype), -3, 3);
    if (code.draw.chance(30)) {
      // A negative base has a power only where the exponent is a whole number.
      const base = code.clamp(code.value(dtype), -10, 10);
      const whole = code.element("round", dtype, [exponent], [-3, 3]);
      return code.clamp(code.element("pow", dtype, [base, whole]), -1e6, 1e6);
    }
    const base = code.clamp(code.value(dtype), 0.125, 10);
    return code.element("pow", dtype, [base, exponent], [0, 1000]);
  },
  max: extreme(Math.max),
  min: extreme(Math.min),
  lt: comparison(),
  le: comparison(),
  eq: comparison(),
  ne: comparison(),
  and: bits(),
  or: bits(),
  xor: bits(),
  shl: shift(),
  shr: shift(),
  where: (code) => {
    const dtype = code.dtype();
    const condition = code.value("bool");
    const [a, b] = [code.value(dtype), code.value(dtype)];
    const range: [number, number] = [Math.min(a.low, b.low), Math.max(a.high, b.high)];
    return code.element("where", dtype, [condition, a, b], range);
  },
  philox: (code) => {
    const args = [0, 1, 2, 3].map(() => code.value("int32"));
    return code.element("philox", "int32", args, limits("int32"), code.draw.int(0, 3));
  },
};

/** Simple arithmetic more often than the rest. */
const operations: readonly ElementOp[] = [
  ...(["add", "mul", "sub", "add", "mul", "max", "where", "cast"] as const),
  ...(Object.keys(grow) as ElementOp[]),
];
