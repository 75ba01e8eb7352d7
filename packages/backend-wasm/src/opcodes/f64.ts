export const add = 0xa0;
export const mul = 0xa2;
export const promote_f32 = 0xbb;
