import { type MatmulKernel, type MatrixOperand, remember, type Store } from "@gradloom/engine";
import { countIterations } from "./loop-nest.ts";
import { termDigits } from "./matmul-digits.ts";
import { tileColumns, tileRows } from "./micro-kernel.ts";
import { type WindowCode, windowsOf } from "./window-structure.ts";

/** Where a matrix is: elements from the start of its operand, and the place of its guards' values in a list. */
export interface Matrix {
  readonly offset: number;
  readonly guards: number;
}

/** A matrix of the batch. */
interface BatchEntry {
  readonly a: Matrix;
  readonly b: Matrix;
  /** Which of the different matrices b. */
  readonly which: number;
  /** Elements from the start of the output. */
  readonly to: number;
}

/** How a matrix product is carried out: sizes of blocks, and what is brought into another order first. */
export interface MatmulPlan {
  /** Units of work are blocks of so many rows and columns; terms are added so many at a time. */
  readonly rowBlock: number;
  readonly columnBlock: number;
  readonly termBlock: number;
  readonly rowBlocks: number;
  readonly columnBlocks: number;
  readonly packA: boolean;
  /** Panels of b: in each thread's own memory, as it needs them; or all of them, once, in shared memory. */
  readonly packB: "own" | "shared" | undefined;
  /** How many blocks a call should have at least, to make good use of what it packs. */
  readonly leastGrain: number;
  /** Where the product goes as it is: contiguous rows of this stride. Else an epilogue takes it. */
  readonly output: Store | undefined;
  readonly batches: readonly BatchEntry[];
  /** The different matrices b. */
  readonly matrices: readonly Matrix[];
  /** What the guards of windows start from, with what the code of each is told behind it. */
  readonly guards: readonly number[];
  /** Those that a and b consist of. */
  readonly windows: readonly (WindowCode | undefined)[];
  /** Bytes of a row of a thread's block. */
  readonly blockRow: number;
}

/**
 * Contiguous tiles whose next term is so many elements away are packed as well, if they are used often: their
 * lines would compete for few places in the cache.
 */
const farStride = 100;
const oftenUsed = 32;
const mostTermsByColumns = 512;
/** The most rows of a block of a group of rows. */
const mostRows = 512;
const nearElements = 8192;
/** Columns of a block for which packing is free. */
const freeColumns = 32;
/** The most elements of b that each thread packs for itself. */
const ownElements = 131072;

/** Whether blocking pays; otherwise a sum for each element does. */
export function isBlocked(kernel: MatmulKernel): boolean {
  const { m, n, k, b, dtype, groups } = kernel;
  // Few rows: unless the columns of b are contiguous, reading them once is worth a tile that is not full.
  const leastRows = !b.window && b.rowStride === 1 ? tileRows : 2;
  const large = m >= leastRows && n >= tileColumns / 2 && k >= 4;
  return dtype === "float32" && (large || groups !== undefined || termDigits(kernel) === undefined);
}

/**
 * Chooses the blocks for a number of threads. What is computed does not depend on them, to the last bit.
 *
 * @param isKept - Whether what is packed of b serves many runs.
 */
export function planMatmul(kernel: MatmulKernel, threads: number, isKept: boolean): MatmulPlan {
  const { m, n, k, a, b, groups } = kernel;
  const output = plainOutput(kernel);
  const table = batchTable(kernel, output);
  const { batches } = table;
  const rowGroups = groups?.along === "rows" ? batches.length : 0;
  // Rows that are multiplied by one matrix, as a rule.
  const height = rowGroups > 0 ? Math.ceil(m / rowGroups) : m;
  const mustPackB =
    b.window !== undefined ||
    b.columnStride !== 1 ||
    (b.rowStride >= farStride && (isKept || height >= oftenUsed));
  // Few rows: threads share out the columns, and nothing of b, the larger matrix, has to go from one to another.
  const byColumns =
    mustPackB && (height <= 192 || rowGroups > 0) && !(isKept && k > mostTermsByColumns);
  // Panels come from the second cache as fast as they are needed; sums that leave the registers have to come back. By columns, all
  // rows of a pass by each panel: they stay in the second cache.
  const mostTerms = byColumns ? mostTermsByColumns : 4096;
  const termBlock = Math.ceil(k / Math.ceil(k / mostTerms));
  const wanted = threads > 1 ? 8 * threads : 1;
  let columnBlock = Math.min(roundUp(n, tileColumns), 1024);
  // An epilogue finds its block in the cache if that is small; packed rows of a are used for all columns.
  const fitting = Math.min(Math.max(Math.floor(16384 / columnBlock), 16), 64);
  let rowBlock = Math.min(roundUp(m, tileRows), output ? (m >= 512 ? 128 : 64) : fitting);
  if (byColumns) {
    rowBlock = roundUp(rowGroups > 0 ? Math.min(m, mostRows) : m, tileRows);
    const share = roundUp(Math.ceil(n / (2 * threads)), tileColumns);
    columnBlock = Math.min(Math.max(share, 32), 128, columnBlock);
    if (isKept) columnBlock = Math.min(columnBlock, freeColumns);
  }
  // Blocks for all threads, as long as a block is worth a call.
  while (!byColumns) {
    const units =
      (rowGroups > 0 ? 1 : batches.length) * Math.ceil(m / rowBlock) * Math.ceil(n / columnBlock);
    if (units >= wanted || rowBlock * columnBlock * k < 200_000) break;
    if (rowBlock >= 32) rowBlock = roundUp(rowBlock / 2, tileRows);
    else if (columnBlock >= 32) columnBlock = roundUp(columnBlock / 2, tileColumns);
    else break;
  }
  // Rows of whole tiles, all of whose terms lie together and stay in the first cache, are read as they are.
  const isNear =
    a.columnStride === 1 &&
    rowGroups === 0 &&
    m % tileRows === 0 &&
    rowBlock * a.rowStride <= nearElements;
  const isFar = a.rowStride !== 1 || (a.columnStride >= farStride && n >= oftenUsed);
  const packA = a.window !== undefined || (isFar && !(isNear && k <= termBlock));
  const rowBlocks = Math.ceil(m / rowBlock) + rowGroups;
  const columnBlocks = Math.ceil(n / columnBlock);
  // Bringing packed memory from core to core takes several times as long as packing it again.
  const whole = columnBlocks === 1 && termBlock === k && columnBlock * k <= ownElements;
  const isOwn = !isKept && (byColumns || whole);
  const packB = !mustPackB ? undefined : isOwn ? "own" : "shared";
  const share = Math.ceil(rowBlocks / threads);
  const leastGrain =
    packB === "own" ? (threads > 1 ? Math.min(Math.ceil(128 / rowBlock), share) : share) : 1;
  return {
    rowBlock,
    columnBlock,
    termBlock,
    rowBlocks,
    columnBlocks,
    packA,
    packB,
    leastGrain,
    output,
    ...table,
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

/** Where the matrices of the batch are, each of the different ones once. */
export function batchTable(
  kernel: MatmulKernel,
  output: Store | undefined,
): Pick<MatmulPlan, "batches" | "matrices" | "guards" | "windows"> {
  const batches: BatchEntry[] = [];
  const matrices: Matrix[] = [];
  const guards: number[] = [];
  const known = new Map<string, number>();
  const windows = [windowsOf(kernel.a, true), windowsOf(kernel.b, false)];
  const position = kernel.batch.map(() => 0);
  const at = (strides: readonly number[], start = 0): number =>
    position.reduce((sum, index, i) => sum + index * strides[i], start);
  /** A number for what is equal to something before, a new one for what is not. */
  const matrix = ({ batchStrides, window }: MatrixOperand, code?: WindowCode): Matrix => {
    const starts = window?.guards.map(({ offset, strides }) => at(strides, offset)) ?? [];
    starts.push(...(code?.told ?? []));
    const place = remember(known, `${starts}`, () => guards.push(...starts) - starts.length);
    return { offset: at(batchStrides), guards: place };
  };
  for (let left = countIterations(kernel.batch); left > 0; left--) {
    const b = matrix(kernel.b, windows[1]);
    const which = remember(known, `${b.offset} ${b.guards}`, () => matrices.push(b) - 1);
    const to = output ? at(output.access.strides) : 0;
    batches.push({ a: matrix(kernel.a, windows[0]), b, which, to });
    for (let i = position.length - 1; i >= 0 && ++position[i] === kernel.batch[i]; i--) {
      position[i] = 0;
    }
  }
  return { batches, matrices, guards, windows };
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
