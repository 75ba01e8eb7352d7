export const extract_lane = 0x11d;
export const extend_low_i32x4_s = 0x1c7;
export const shr_s = 0x1cc;
export const extmul_low_i32x4_u = 0x1de;
export const extmul_high_i32x4_u = 0x1df;
