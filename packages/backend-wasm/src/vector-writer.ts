import { type DType, remember } from "@gradloom/engine";
import type { FunctionWriter, ModuleWriter } from "./assembler.ts";
import type { Features } from "./features.ts";
import type { HostFunction } from "./host-math.ts";
import { type LaneOp, laneInstruction } from "./lane-instructions.ts";
import * as f32x4 from "./opcodes/f32x4.ts";
import type { Opcode } from "./opcodes.ts";

/** Writes code that pushes a vector. */
export type Value = () => void;

/**
 * Writes expressions of vectors into a function. A vector holds float32 as f32x4, float64 as f64x2, int32
 * and uint8 as i32x4, and bool as an i32x4 of zeros and minus ones.
 */
export class VectorWriter {
  readonly module: ModuleWriter;
  readonly f: FunctionWriter;
  readonly features: Features;
  /** The indices of the imported host functions. */
  readonly host: ReadonlyMap<HostFunction, number>;
  /** Functions of the module that apply a host function to each lane. */
  readonly laneFunctions: Map<string, FunctionWriter> = new Map();
  readonly #constants = new Map<string, Value>();
  readonly #pools: Record<"v128" | "i32" | "f64", { locals: number[]; used: number }> = {
    v128: { locals: [], used: 0 },
    i32: { locals: [], used: 0 },
    f64: { locals: [], used: 0 },
  };

  constructor(
    module: ModuleWriter,
    f: FunctionWriter,
    features: Features,
    host: ReadonlyMap<HostFunction, number>,
  ) {
    this.module = module;
    this.f = f;
    this.features = features;
    this.host = host;
  }

  /** A value that applies an instruction to others. */
  op(name: Opcode, ...values: readonly Value[]): Value {
    return () => {
      for (const value of values) value();
      this.f.op(name);
    };
  }

  /** A value that applies an operation, of one instruction, to vectors of a dtype. */
  lanes(dtype: DType, op: LaneOp, ...values: readonly Value[]): Value {
    return this.op(laneInstruction(dtype, op) as Opcode, ...values);
  }

  /** The value of a local. */
  local(index: number): Value {
    return () => this.f.get(index);
  }

  /** A local that is free until the end of the enclosing `scope`. */
  fresh(type: "v128" | "i32" | "f64" = "v128"): number {
    const pool = this.#pools[type];
    if (pool.used === pool.locals.length) pool.locals.push(this.f.local(type));
    return pool.locals[pool.used++];
  }

  /** Computes a value now, into a local, for uses until the end of the enclosing `scope`. */
  keep(value: Value): Value {
    value();
    const local = this.fresh();
    this.f.set(local);
    return this.local(local);
  }

  /** Runs `write`; the locals that it took are free for others afterwards. */
  scope(write: () => void): void {
    const pools = Object.values(this.#pools);
    const used = pools.map((pool) => pool.used);
    write();
    for (const [i, pool] of pools.entries()) pool.used = used[i];
  }

  /** Computes a value at the function's start, into a local of its own. */
  hoisted(key: string, value: Value): Value {
    return remember(this.#constants, key, () => {
      const local = this.f.local("v128");
      this.f.hoist(() => {
        value();
        this.f.set(local);
      });
      return this.local(local);
    });
  }

  /** The same float32 in each lane. */
  f32(value: number): Value {
    // Its reciprocal tells 0 from -0.
    return this.hoisted(`f${value} ${1 / value}`, () => this.f.f32x4(value));
  }

  f64(value: number): Value {
    return this.hoisted(`d${value} ${1 / value}`, () => this.f.f64x2(value));
  }

  /** One int32 for all lanes, or four. */
  i32(...values: readonly number[]): Value {
    return this.hoisted(`i${values.join()}`, () => this.f.i32x4(...values));
  }

  /** True in the first `width` lanes. */
  firstLanes(width: number): Value {
    return this.i32(...[0, 1, 2, 3].map((lane) => (lane < width ? -1 : 0)));
  }

  /** A constant of a dtype. */
  constant(dtype: DType, value: number): Value {
    switch (dtype) {
      case "float32":
        return this.f32(value);
      case "float64":
        return this.f64(value);
      case "int32":
        return this.i32(value | 0);
      case "uint8":
        return this.i32(value & 0xff);
      case "bool":
        return this.i32(value === 0 ? 0 : -1);
      default:
        throw dtype satisfies never;
    }
  }

  /** `a · b + c` of float32, rounded once where the host can. */
  madd(a: Value, b: Value, c: Value): Value {
    return this.features.relaxedSimd
      ? this.op(f32x4.relaxed_madd, a, b, c)
      : this.op(f32x4.add, this.op(f32x4.mul, a, b), c);
  }

  /** `c - a · b` of float32, rounded once where the host can. */
  nmadd(a: Value, b: Value, c: Value): Value {
    return this.features.relaxedSimd
      ? this.op(f32x4.relaxed_nmadd, a, b, c)
      : this.op(f32x4.sub, c, this.op(f32x4.mul, a, b));
  }

  /** A polynomial in `x`, a local, with the coefficients from the highest power down. */
  polynomial(x: Value, coefficients: readonly number[]): Value {
    // The last step by itself, `c₀ + x (c₁ + …)`, rounds once at the size of the result.
    const constant = this.f32(coefficients[coefficients.length - 1]);
    return this.madd(this.quickPolynomial(x, coefficients.slice(0, -1)), x, constant);
  }

  /**
   * The same by Horner's rule in `x²` on pairs `a + b x`: rounds once more at the size of the result, but
   * the chain of dependent instructions is half as long, so a core finds work for all of its units.
   */
  quickPolynomial(x: Value, coefficients: readonly number[]): Value {
    const square = this.keep(this.op(f32x4.mul, x, x));
    const rising = [...coefficients].reverse();
    let sum: Value | undefined;
    for (let i = (rising.length - 1) & ~1; i >= 0; i -= 2) {
      const low = this.f32(rising[i]);
      const pair =
        i + 1 < rising.length ? this.keep(this.madd(this.f32(rising[i + 1]), x, low)) : low;
      sum = sum ? this.madd(sum, square, pair) : pair;
    }
    return sum as Value;
  }

  /** Shifts each lane of an i32x4 by a fixed number of bits. */
  shift(name: Opcode, value: Value, bits: number): Value {
    return () => {
      value();
      this.f.i32(bits).op(name);
    };
  }
}
