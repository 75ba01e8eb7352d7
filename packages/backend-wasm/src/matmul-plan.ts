import type { MatmulKernel, Store } from "@gradloom/engine";
import { countIterations } from "./loop-nest.ts";
import { tileColumns, tileRows } from "./micro-kernel.ts";

/** How a matrix product is carried out: sizes of blocks, and what is brought into another order first. */
export interface MatmulPlan {
  /** Units of work are blocks of so many rows and columns; terms are added so many at a time. */
  readonly rowBlock: number;
  readonly columnBlock: number;
  readonly termBlock: number;
  readonly rowBlocks: number;
  readonly columnBlocks: number;
  readonly packA: boolean;
  readonly packB: boolean;
  /** Where the product goes as it is: contiguous rows of this stride. Else an epilogue takes it. */
  readonly output: Store | undefined;
  /** For each matrix of the batch: elements from the start of a, of b, which of the different b, and of c. */
  readonly batches: readonly (readonly [number, number, number, number])[];
  /** For each of the different matrices b: elements from the start of b. */
  readonly matrices: readonly number[];
  /** Bytes of a row of a thread's block. */
  readonly blockRow: number;
}

/**
 * Contiguous tiles whose next term is so many elements away are packed as well, if they are used often: their
 * lines would compete for few places in the cache.
 */
const farStride = 100;
const oftenUsed = 32;

/** Whether blocking pays; otherwise a sum for each element does. */
export function isBlocked(kernel: MatmulKernel): boolean {
  const { m, n, k, dtype } = kernel;
  return dtype === "float32" && m >= tileRows && n >= tileColumns / 2 && k >= 4;
}

/** Chooses the blocks for a number of threads. What is computed does not depend on them, to the last bit. */
export function planMatmul(kernel: MatmulKernel, threads: number): MatmulPlan {
  const { m, n, k, a, b } = kernel;
  const { batches, matrices } = batchTable(kernel, plainOutput(kernel));
  const output = plainOutput(kernel);
  // A panel of b, 16 KB at most, and a tile's rows of a stay in the first cache.
  const termBlock = Math.ceil(k / Math.ceil(k / 512));
  let columnBlock = Math.min(roundUp(n, tileColumns), 1024);
  // An epilogue finds its block in the cache if that is small; packed rows of a are used for all columns.
  const fitting = Math.min(Math.max(Math.floor(16384 / columnBlock), 16), 64);
  const largest = output ? (m >= 512 ? 128 : 64) : fitting;
  let rowBlock = Math.min(roundUp(m, tileRows), largest);
  // Blocks for all threads, as long as a block is worth a call.
  const wanted = threads > 1 ? 4 * threads : 1;
  for (;;) {
    const units = batches.length * Math.ceil(m / rowBlock) * Math.ceil(n / columnBlock);
    if (units >= wanted || rowBlock * columnBlock * k < 131072) break;
    if (rowBlock >= 32) rowBlock = roundUp(rowBlock / 2, tileRows);
    else if (columnBlock >= 32) columnBlock = roundUp(columnBlock / 2, tileColumns);
    else break;
  }
  const rowBlocks = Math.ceil(m / rowBlock);
  const columnBlocks = Math.ceil(n / columnBlock);
  const packA = a.rowStride !== 1 || (a.columnStride >= farStride && n >= oftenUsed);
  const packB = b.columnStride !== 1 || (b.rowStride >= farStride && m >= oftenUsed);
  return {
    rowBlock,
    columnBlock,
    termBlock,
    rowBlocks,
    columnBlocks,
    packA,
    packB,
    output,
    batches,
    matrices,
    // Not a multiple of a power of two, so that rows do not compete for the same places in the cache.
    blockRow: 4 * roundUp(columnBlock, tileColumns) + (columnBlock % 256 === 0 ? 64 : 0),
  };
}

/** The only store of the product as it is, into contiguous rows. */
function plainOutput(kernel: MatmulKernel): Store | undefined {
  const { code, stores } = kernel.epilogue;
  if (stores.length !== 1 || code[stores[0].value].op !== "product") return undefined;
  const { strides } = stores[0].access;
  return strides[strides.length - 1] === 1 ? stores[0] : undefined;
}

function batchTable(
  kernel: MatmulKernel,
  output: Store | undefined,
): Pick<MatmulPlan, "batches" | "matrices"> {
  const batches: [number, number, number, number][] = [];
  const different = new Map<number, number>();
  const position = kernel.batch.map(() => 0);
  const at = (strides: readonly number[]): number =>
    position.reduce((sum, index, i) => sum + index * strides[i], 0);
  for (let left = countIterations(kernel.batch); left > 0; left--) {
    const offset = at(kernel.b.batchStrides);
    const which = different.get(offset) ?? different.size;
    different.set(offset, which);
    const to = output ? at(output.access.strides) : 0;
    batches.push([at(kernel.a.batchStrides), offset, which, to]);
    for (let i = position.length - 1; i >= 0 && ++position[i] === kernel.batch[i]; i--) {
      position[i] = 0;
    }
  }
  return { batches, matrices: [...different.keys()] };
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
