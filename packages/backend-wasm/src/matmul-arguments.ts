import type { ValueType } from "./assembler.ts";

/**
 * What the functions of the matrix product find at the address in their first argument: words of 32 bits.
 * Strides are in bytes, blocks in rows and columns.
 */
const fields = [
  "a", // addresses
  "b",
  "c", // the output, if the epilogue is to store the product as it is
  "m",
  "n",
  "k",
  "aRow", // strides
  "aColumn",
  "bRow",
  "bColumn",
  "cRow", // 0: there is an epilogue
  "rowBlock", // a unit of work is a block of so many rows and columns
  "columnBlock",
  "termBlock", // and goes through `k` in steps of so many
  "rowBlocks",
  "columnBlocks",
  "columnParts", // blocks follow each other in so many parts of the columns in turns
  "batches", // a table of offsets, see `batchFields`
  "matrices", // a table of the different matrices b, see `matrixFields`
  "packedA", // this thread's memory for a block of rows, or 0: a is read as it is
  "panels", // b in panels of eight columns, or 0
  "packedB", // this thread's memory for a block of b in panels, or 0; if `panels` is 0 too, b's rows are contiguous
  "windowsA", // position in the table of functions of what packs a if it consists of windows, or 0
  "windowsB",
  "bounds", // where groups start, or 0
  "rowGroups", // if those are groups of rows: how many there are, else 0
  "block", // this thread's memory for a block of the product
  "blockRow", // its stride
  "epilogue", // position in the table of functions
  "arguments", // the epilogue's argument block
  "product", // this thread's memory for the products of transformed patches
  "termsA", // how many terms of a are packed at once
  "layerA", // bytes from one transformed element to the next, in packed a and b and in the product
  "layerB",
  "layerProduct",
] as const;

/** A word of the argument block of a matrix product. */
export type MatmulField = (typeof fields)[number];

/** Bytes of the argument block of a matrix product, a multiple of 16. */
export const matmulArgumentBytes: number = Math.ceil(fields.length / 4) * 16;

/** Where a field is, in bytes. */
export function matmulField(name: MatmulField): number {
  return fields.indexOf(name) * 4;
}

/**
 * For each matrix of the batch: bytes from the start of a and b, in which of the packed matrices b is, and
 * bytes from the start of c; addresses of what the guards of a's and b's windows start from.
 */
export const batchFields = 6;

/** For each of the different matrices b: bytes from the start of b, and the address of what its guards start from. */
export const matrixFields = 2;

/** Parameters of an epilogue: arguments, block, its stride, batch, first row, rows, first column, columns. */
export const epilogueParameters: readonly ValueType[] = Array(8).fill("i32");
