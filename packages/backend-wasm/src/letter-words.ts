// Words of a letter, which brings a module to the threads. The module's bytes follow.

export const next = 0;
export const slot = 1;
export const byteLength = 2;
export const number = 3;
export const words = 4;
