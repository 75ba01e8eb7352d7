import type { DType, ElementOp } from "@gradloom/engine";
import * as f32x4 from "./opcodes/f32x4.ts";
import * as f64x2 from "./opcodes/f64x2.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Opcode } from "./opcodes.ts";

/** An element operation, or what only kernels write: `a < b ? b : a` and its like, and access to a lane. */
export type LaneOp = ElementOp | "pmin" | "pmax" | "extract" | "replace";

/** Operations on vectors that are one instruction: on float32, on float64, and on integers. */
const instructions: Partial<Record<LaneOp, readonly (Opcode | undefined)[]>> = {
  neg: [f32x4.neg, f64x2.neg, i32x4.neg],
  abs: [f32x4.abs, f64x2.abs, i32x4.abs],
  floor: [f32x4.floor, f64x2.floor],
  ceil: [f32x4.ceil, f64x2.ceil],
  round: [f32x4.nearest, f64x2.nearest],
  trunc: [f32x4.trunc, f64x2.trunc],
  sqrt: [f32x4.sqrt, f64x2.sqrt],
  add: [f32x4.add, f64x2.add, i32x4.add],
  sub: [f32x4.sub, f64x2.sub, i32x4.sub],
  mul: [f32x4.mul, f64x2.mul, i32x4.mul],
  div: [f32x4.div, f64x2.div],
  max: [f32x4.max, f64x2.max, i32x4.max_s],
  min: [f32x4.min, f64x2.min, i32x4.min_s],
  pmax: [f32x4.pmax, f64x2.pmax],
  pmin: [f32x4.pmin, f64x2.pmin],
  lt: [f32x4.lt, f64x2.lt, i32x4.lt_s],
  le: [f32x4.le, f64x2.le, i32x4.le_s],
  eq: [f32x4.eq, f64x2.eq, i32x4.eq],
  ne: [f32x4.ne, f64x2.ne, i32x4.ne],
  and: [undefined, undefined, v128.and],
  or: [undefined, undefined, v128.or],
  xor: [undefined, undefined, v128.xor],
  not: [undefined, undefined, v128.not],
  extract: [f32x4.extract_lane, f64x2.extract_lane, i32x4.extract_lane],
  replace: [f32x4.replace_lane, f64x2.replace_lane, i32x4.replace_lane],
};

/** The instruction for vectors of a dtype, if there is one. */
export function laneInstruction(dtype: DType, op: LaneOp): Opcode | undefined {
  return instructions[op]?.[dtype === "float32" ? 0 : dtype === "float64" ? 1 : 2];
}
