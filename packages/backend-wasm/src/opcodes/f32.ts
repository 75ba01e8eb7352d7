export const demote_f64 = 0xb6;
