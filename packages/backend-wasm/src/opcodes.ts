/**
 * The instructions that Gradloom writes, by their family and the number of the first of a row of names that
 * follow each other. A number above 0xffff is a prefix byte and, in the lower 16 bits, what follows it.
 */
const families = {
  "": { 15: "return call", 26: "drop select" },
  "memory.": { 16515082: "copy fill" },
  "memory.atomic.": { 16646144: "notify wait32" },
  "i32.atomic.": {
    16646160: "load",
    16646167: "store",
    16646174: "rmw.add",
    16646216: "rmw.cmpxchg",
  },
  "i32.": {
    40: "load",
    45: "load8_u",
    54: "store",
    69: "eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u",
    103: "clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u",
  },
  "i64.": { 41: "load", 55: "store", 86: "gt_u" },
  "f32.": { 182: "demote_f64" },
  "f64.": { 160: "add sub mul", 187: "promote_f32" },
  "v128.": {
    16580608: "load",
    16580617: "load32_splat load64_splat store const",
    16580685: "not and andnot or xor bitselect any_true",
    16580694: "load32_lane load64_lane store8_lane store16_lane store32_lane store64_lane",
    16580700: "load32_zero load64_zero",
  },
  "i8x16.": { 16580621: "shuffle swizzle", 16580710: "narrow_i16x8_u" },
  "i16x8.": { 16580741: "narrow_i32x4_s", 16580745: "extend_low_i8x16_u" },
  "i32x4.": {
    16580625: "splat",
    16580635: "extract_lane replace_lane",
    16580663: "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u",
    16580768: "abs neg",
    16580771: "all_true bitmask",
    16580777: "extend_low_i16x8_u",
    16580779: "shl shr_s shr_u add",
    16580785: "sub",
    16580789: "mul min_s min_u max_s max_u",
    16580856: "trunc_sat_f32x4_s",
    16580860: "trunc_sat_f64x2_s_zero",
  },
  "i64x2.": {
    16580637: "extract_lane",
    16580807: "extend_low_i32x4_s",
    16580812: "shr_s",
    16580830: "extmul_low_i32x4_u extmul_high_i32x4_u",
  },
  "f32x4.": {
    16580639: "extract_lane replace_lane",
    16580673: "eq ne lt gt le ge",
    16580702: "demote_f64x2_zero",
    16580711: "ceil floor trunc nearest",
    16580832: "abs neg",
    16580835: "sqrt add sub mul div min max pmin pmax",
    16580858: "convert_i32x4_s",
    16580869: "relaxed_madd relaxed_nmadd",
  },
  "f64x2.": {
    16580641: "extract_lane replace_lane",
    16580679: "eq ne lt gt le ge",
    16580703: "promote_low_f32x4",
    16580724: "ceil floor",
    16580730: "trunc",
    16580756: "nearest",
    16580844: "abs neg",
    16580847: "sqrt add sub mul div min max pmin pmax",
    16580862: "convert_low_i32x4_s",
  },
} as const;

type Words<Row> = Row extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Row & string;
type Families = typeof families;

/** The name of an instruction, as the WebAssembly specification has it. */
export type Opcode = {
  [Family in keyof Families]: `${Family}${Words<Families[Family][keyof Families[Family]]>}`;
}[keyof Families];

const numbers = new Map<string, number>();
for (const [family, rows] of Object.entries(families)) {
  for (const [first, names] of Object.entries<string>(rows)) {
    for (const [i, name] of names.split(" ").entries())
      numbers.set(family + name, Number(first) + i);
  }
}

/** The number of an instruction; above 0xffff with its prefix. */
export function opcodeNumber(name: Opcode): number {
  return numbers.get(name) as number;
}
