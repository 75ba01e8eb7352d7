// Words of a step, in bytes.

/** Position in the table of functions. */
export const position = 0;
/** Argument block, and how far the next thread's is behind it. */
export const argumentBlock = 4;
export const argumentStride = 8;
export const units = 12;
/** Units of a chunk. */
export const grain = 16;
export const chunks = 20;
