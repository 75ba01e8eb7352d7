export const shuffle = 0x10d;
export const narrow_i16x8_u = 0x166;
