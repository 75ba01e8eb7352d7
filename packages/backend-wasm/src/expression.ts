import type { DType, ElementInstruction, ElementOp, Instruction } from "@gradloom/engine";
import { BackendError, isFloat, remember } from "@gradloom/engine";
import type { ModuleWriter, ValueType } from "./assembler.ts";
import { type HostFunction, hostMath } from "./host-math.ts";
import { laneInstruction } from "./lane-instructions.ts";
import * as f32 from "./opcodes/f32.ts";
import * as f32x4 from "./opcodes/f32x4.ts";
import * as f64 from "./opcodes/f64.ts";
import * as f64x2 from "./opcodes/f64x2.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as i64x2 from "./opcodes/i64x2.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Opcode } from "./opcodes.ts";
import { vectorMath } from "./vector-math.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

const integerHost: Partial<Record<ElementOp, HostFunction>> = {
  floorDiv: "integerFloorDiv",
  mod: "integerMod",
  pow: "integerPow",
  shl: "shl",
  shr: "shr",
};

/** What an operation on operands of a dtype may have to import. */
function hostFunctionOf(op: ElementOp, operand: DType): HostFunction | undefined {
  if (operand === "bool") return undefined;
  if (!isFloat(operand)) return integerHost[op];
  if (operand === "float32" && op in vectorMath && op !== "sin" && op !== "cos") return undefined;
  return op in hostMath ? (op as HostFunction) : undefined;
}

function isElement(instruction: Instruction): instruction is ElementInstruction {
  return "args" in instruction;
}

/** Imports the host functions that code needs. Comes before the module's functions. */
export function importHostMath(
  module: ModuleWriter,
  codes: readonly (readonly Instruction[])[],
): Map<HostFunction, number> {
  const imported = new Map<HostFunction, number>();
  for (const code of codes) {
    for (const instruction of code) {
      if (!isElement(instruction)) continue;
      const operand = code[instruction.args[0]].dtype;
      const name = hostFunctionOf(instruction.op, operand);
      if (name === undefined || imported.has(name)) continue;
      const type: ValueType = isFloat(operand) ? "f64" : "i32";
      const parameters = Array<ValueType>(hostMath[name].length).fill(type);
      imported.set(name, module.importFunction("h", name, parameters, [type]));
    }
  }
  return imported;
}

/** Applies a host function to each lane, by a function of the module's own: it is rare, code is long. */
export function callHost(
  w: VectorWriter,
  op: ElementOp,
  dtype: DType,
  values: readonly Value[],
): Value {
  const name = hostFunctionOf(op, dtype);
  if (name === undefined) {
    throw new BackendError(`${op}: operands must have a dtype it is for, got ${dtype}.`);
  }
  const key = `${name} ${dtype}`;
  const { index } = remember(w.laneFunctions, key, () => {
    // What kernels call is found by the same rule before.
    const host = w.host.get(name) as number;
    const f = w.module.function(
      values.map(() => "v128"),
      ["v128"],
    );
    f.i32x4(0);
    // The second lane of float64 is never used.
    for (let i = 0; i < (dtype === "float64" ? 1 : 4); i++) {
      for (let v = 0; v < values.length; v++) {
        f.get(v).op(laneInstruction(dtype, "extract") as Opcode, i);
        if (dtype === "float32") f.op(f64.promote_f32);
      }
      f.call(host);
      if (dtype === "float32") f.op(f32.demote_f64);
      f.op(laneInstruction(dtype, "replace") as Opcode, i);
    }
    return f;
  });
  return () => {
    for (const value of values) value();
    w.f.call(index);
  };
}

/** An operand: its value, and if it is a literal, that. */
export interface Operand {
  readonly dtype: DType;
  readonly value: Value;
  readonly constant: number | undefined;
}

/** The value of an element operation other than `philox`. To be evaluated at once. */
export function elementValue(
  w: VectorWriter,
  op: ElementOp,
  result: DType,
  operands: readonly Operand[],
): Value {
  const values = operands.map((operand) => operand.value);
  const operand = operands[0].dtype;
  if (op === "cast") return castValue(w, operand, result, values[0]);
  if (op === "where") {
    const wide = result === "float64";
    const mask = wide ? w.op(i64x2.extend_low_i32x4_s, values[0]) : values[0];
    return w.op(v128.bitselect, values[1], values[2], mask);
  }
  if (isFloat(operand)) return floatValue(w, op, operand, operands);
  if (operand === "bool") return boolValue(w, op, values);
  const value = integerValue(w, op, operands);
  return result === "uint8" && operand === "uint8" ? w.op(v128.and, value, w.i32(0xff)) : value;
}

function floatValue(
  w: VectorWriter,
  op: ElementOp,
  dtype: DType,
  operands: readonly Operand[],
): Value {
  const values = operands.map((operand) => operand.value);
  if (op === "max" || op === "min") {
    // pmax(a, b) is `a < b ? b : a`: one instruction, which passes NaN on if it is in a.
    const literal = operands.findIndex(
      ({ constant }) => constant !== undefined && !Number.isNaN(constant),
    );
    if (literal >= 0)
      return w.lanes(dtype, op === "max" ? "pmax" : "pmin", values[1 - literal], values[literal]);
  }
  const instruction = laneInstruction(dtype, op);
  if (instruction !== undefined) return w.op(instruction, ...values);
  const vector = dtype === "float32" ? vectorMath[op] : undefined;
  if (vector) return vector(w, values[0]);
  return callHost(w, op, dtype, values);
}

function integerValue(w: VectorWriter, op: ElementOp, operands: readonly Operand[]): Value {
  const values = operands.map((operand) => operand.value);
  const bits = operands[1]?.constant;
  if ((op === "shl" || op === "shr") && bits !== undefined) {
    return w.shift(op === "shl" ? i32x4.shl : i32x4.shr_u, values[0], bits);
  }
  const instruction = laneInstruction("int32", op);
  if (instruction !== undefined) return w.op(instruction, ...values);
  if (op === "floor" || op === "ceil" || op === "round" || op === "trunc") return values[0];
  return callHost(w, op, "int32", values);
}

function boolValue(w: VectorWriter, op: ElementOp, values: readonly Value[]): Value {
  const [a, b] = values;
  switch (op) {
    case "not":
      return w.op(v128.not, a);
    case "and":
    case "min":
      return w.op(v128.and, a, b);
    case "or":
    case "max":
      return w.op(v128.or, a, b);
    case "xor":
    case "ne":
      return w.op(v128.xor, a, b);
    case "eq":
      return w.op(v128.not, w.op(v128.xor, a, b));
    case "lt":
      return w.op(v128.andnot, b, a);
    case "le":
      return w.op(v128.or, b, w.op(v128.not, a));
    default:
      return callHost(w, op, "bool", values);
  }
}

function castValue(w: VectorWriter, from: DType, to: DType, x: Value): Value {
  if (from === to) return x;
  if (to === "bool") {
    if (from === "float32") return w.op(f32x4.ne, x, w.f32(0));
    if (from === "float64") return w.op(f64x2.ne, x, w.f64(0));
    return w.op(i32x4.ne, x, w.i32(0));
  }
  const integer = from === "bool" ? w.op(i32x4.neg, x) : x;
  if (to === "float32") {
    return w.op(from === "float64" ? f32x4.demote_f64x2_zero : f32x4.convert_i32x4_s, integer);
  }
  if (to === "float64") {
    const name = from === "float32" ? f64x2.promote_low_f32x4 : f64x2.convert_low_i32x4_s;
    return w.op(name, integer);
  }
  const whole =
    from === "float32"
      ? w.op(i32x4.trunc_sat_f32x4_s, x)
      : from === "float64"
        ? w.op(i32x4.trunc_sat_f64x2_s_zero, x)
        : integer;
  return to === "uint8" ? w.op(v128.and, whole, w.i32(0xff)) : whole;
}
