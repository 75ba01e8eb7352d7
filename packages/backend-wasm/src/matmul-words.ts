/*
 * What the functions of the matrix product find at the address in their first argument: words of 32 bits.
 * Strides are in bytes, blocks in rows and columns.
 */

/** Addresses. */
export const a = 0;
export const b = 4;
/** The output, if the epilogue is to store the product as it is. */
export const c = 8;
export const m = 12;
export const n = 16;
export const k = 20;
/** Strides. */
export const aRow = 24;
export const aColumn = 28;
export const bRow = 32;
export const bColumn = 36;
/** 0: there is an epilogue. */
export const cRow = 40;
/** A unit of work is a block of so many rows and columns. */
export const rowBlock = 44;
export const columnBlock = 48;
/** And goes through `k` in steps of so many. */
export const termBlock = 52;
export const rowBlocks = 56;
export const columnBlocks = 60;
/** A table of offsets, see `batchFields`. */
export const batches = 64;
/** A table of the different matrices b, see `matrixFields`. */
export const matrices = 68;
/** This thread's memory for a block of rows, or 0: a is read as it is. */
export const packedA = 72;
/** B in panels of eight columns, or 0. */
export const panels = 76;
/** This thread's memory for a block of b in panels, or 0; if `panels` is 0 too, b's rows are contiguous. */
export const packedB = 80;
/** Position in the table of functions of what packs a if it consists of windows, or 0. */
export const windowsA = 84;
export const windowsB = 88;
/** Where groups start, or 0. */
export const bounds = 92;
/** If those are groups of rows: how many there are, else 0. */
export const rowGroups = 96;
/** This thread's memory for a block of the product. */
export const block = 100;
/** Its stride. */
export const blockRow = 104;
/** Position in the table of functions. */
export const epilogue = 108;
/** The epilogue's argument block. */
export const epilogueArguments = 112;
/** This thread's memory for the products of transformed patches. */
export const product = 116;
/** How many terms of a are packed at once. */
export const termsA = 120;
/** Bytes from one transformed element to the next, in packed a and b and in the product. */
export const layerA = 124;
export const layerB = 128;
export const layerProduct = 132;

/** Bytes of all, a multiple of 16. */
export const bytes = 144;
