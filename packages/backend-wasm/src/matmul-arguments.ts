import type { ValueType } from "./assembler.ts";

/**
 * For each matrix of the batch: bytes from the start of a and b, in which of the packed matrices b is, and
 * bytes from the start of c; addresses of what the guards of a's and b's windows start from.
 */
export const batchFields = 6;

/** For each of the different matrices b: bytes from the start of b, and the address of what its guards start from. */
export const matrixFields = 2;

/** Parameters of an epilogue: arguments, block, its stride, batch, first row, rows, first column, columns. */
export const epilogueParameters: readonly ValueType[] = Array(8).fill("i32");
