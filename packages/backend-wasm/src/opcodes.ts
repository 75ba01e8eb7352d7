import * as f32x4 from "./opcodes/f32x4.ts";
import * as i8x16 from "./opcodes/i8x16.ts";
import * as i16x8 from "./opcodes/i16x8.ts";
import * as i32 from "./opcodes/i32.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";

/**
 * The number of an instruction: one byte; or 0x100 and the number of one with vectors; or a prefix of another kind, 0xfc or 0xfe,
 * and a byte. They are named as in the specification, in a file for each type: constants, so that a bundle has the numbers alone.
 */
export type Opcode = number | Name;

type Name =
  | "call"
  | "drop"
  | "f32x4.abs"
  | "f32x4.div"
  | "f32x4.ge"
  | "f32x4.le"
  | "f32x4.mul"
  | "i16x8.extend_low_i8x16_u"
  | "i16x8.narrow_i32x4_s"
  | "i32.add"
  | "i32.and"
  | "i32.div_u"
  | "i32.eq"
  | "i32.ge_s"
  | "i32.gt_s"
  | "i32.load"
  | "i32.load8_u"
  | "i32.lt_s"
  | "i32.lt_u"
  | "i32.mul"
  | "i32.ne"
  | "i32.rem_u"
  | "i32.sub"
  | "i32x4.add"
  | "i32x4.all_true"
  | "i32x4.extend_low_i16x8_u"
  | "i32x4.extract_lane"
  | "i32x4.lt_u"
  | "i32x4.ne"
  | "i32x4.replace_lane"
  | "i32x4.splat"
  | "i8x16.narrow_i16x8_u"
  | "i8x16.shuffle"
  | "return"
  | "v128.and"
  | "v128.load"
  | "v128.load32_lane"
  | "v128.load32_splat"
  | "v128.load32_zero"
  | "v128.load64_splat"
  | "v128.load64_zero"
  | "v128.store"
  | "v128.store32_lane"
  | "v128.store64_lane"
  | "v128.store8_lane";

/** Instructions by their names, as long as there are users. */
const names: Readonly<Record<Name, number>> = {
  call: 0x0f,
  drop: 0x1a,
  "f32x4.abs": f32x4.abs,
  "f32x4.div": f32x4.div,
  "f32x4.ge": f32x4.ge,
  "f32x4.le": f32x4.le,
  "f32x4.mul": f32x4.mul,
  "i16x8.extend_low_i8x16_u": i16x8.extend_low_i8x16_u,
  "i16x8.narrow_i32x4_s": i16x8.narrow_i32x4_s,
  "i32.add": i32.add,
  "i32.and": i32.and,
  "i32.div_u": i32.div_u,
  "i32.eq": i32.eq,
  "i32.ge_s": i32.ge_s,
  "i32.gt_s": i32.gt_s,
  "i32.load": i32.load,
  "i32.load8_u": i32.load8_u,
  "i32.lt_s": i32.lt_s,
  "i32.lt_u": i32.lt_u,
  "i32.mul": i32.mul,
  "i32.ne": i32.ne,
  "i32.rem_u": i32.rem_u,
  "i32.sub": i32.sub,
  "i32x4.add": i32x4.add,
  "i32x4.all_true": i32x4.all_true,
  "i32x4.extend_low_i16x8_u": i32x4.extend_low_i16x8_u,
  "i32x4.extract_lane": i32x4.extract_lane,
  "i32x4.lt_u": i32x4.lt_u,
  "i32x4.ne": i32x4.ne,
  "i32x4.replace_lane": i32x4.replace_lane,
  "i32x4.splat": i32x4.splat,
  "i8x16.narrow_i16x8_u": i8x16.narrow_i16x8_u,
  "i8x16.shuffle": i8x16.shuffle,
  return: 0x0f,
  "v128.and": v128.and,
  "v128.load": v128.load,
  "v128.load32_lane": v128.load32_lane,
  "v128.load32_splat": v128.load32_splat,
  "v128.load32_zero": v128.load32_zero,
  "v128.load64_splat": v128.load64_splat,
  "v128.load64_zero": v128.load64_zero,
  "v128.store": v128.store,
  "v128.store32_lane": v128.store32_lane,
  "v128.store64_lane": v128.store64_lane,
  "v128.store8_lane": v128.store8_lane,
};

export function opcodeNumber(name: Opcode): number {
  return typeof name === "number" ? name : names[name];
}
