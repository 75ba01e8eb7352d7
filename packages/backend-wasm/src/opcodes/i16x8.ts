export const narrow_i32x4_s = 0x185;
export const extend_low_i8x16_u = 0x189;
