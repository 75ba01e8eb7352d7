export const copy = 0xfc0a;
export const fill = 0xfc0b;
export const atomic_notify = 0xfe00;
export const atomic_wait32 = 0xfe01;
