// Positions in the table of functions: what is compiled in any case, then the first that is free.

export const blocks = 0;
export const panels = 1;
export const patches = 2;
export const firstFree = 3;
