import type { BufferSpec } from "./backend.ts";
import { reach } from "./cost.ts";
import {
  type Affine,
  type Kernel,
  type LoopKernel,
  loopsOf,
  type MatmulKernel,
  type MatrixOperand,
  type Stage,
  stagesOf,
  type Window,
  windowIn,
  withAffines,
} from "./kernel.ts";
import type { Touched } from "./memory.ts";
import { remember } from "./remember.ts";
import { rowMajor, sizeOf } from "./shape.ts";

/** Elements of a buffer: `offset + Σ step · i`, each `i` from 0 to below its count. Steps are positive. */
interface Box {
  readonly offset: number;
  readonly terms: readonly (readonly [step: number, count: number])[];
}

/** Some positions of a loop: `start`, `start + step`, …, so many. */
interface Range {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

type Narrowable = LoopKernel | MatmulKernel;

/**
 * Has kernels compute only what is read of it: behind `model.forward(ids).select(1, -1)` the projection has one row, and so
 * have all maps since the last attention.
 *
 * @param bound - Buffers that are read after the run, or hold what was there before.
 * @param specs - All buffers.
 */
export function narrow(
  kernels: readonly Kernel[],
  touches: readonly Touched[],
  bound: ReadonlySet<number>,
  specs: readonly BufferSpec[],
): Kernel[] {
  /** What later kernels read of a buffer; undefined: perhaps all of it. */
  const boxes = new Map<number, Box[] | undefined>();
  const isAll = (buffer: number): boolean => boxes.has(buffer) && !boxes.get(buffer);
  const takeAll = (buffer: number) => boxes.set(buffer, undefined);
  const add = (buffer: number, isRegular: boolean, affine: Affine, sizes: readonly number[]) => {
    if (isAll(buffer)) return;
    // Elements that are counted twice are none along digits.
    const isWhole = !isRegular || reach(affine, sizes) >= specs[buffer].length;
    if (isWhole) takeAll(buffer);
    else remember(boxes, buffer, (): Box[] => [])?.push(boxOf(affine, sizes));
  };
  bound.forEach(takeAll);
  const written = new Set<number>();
  for (const { writes } of touches) {
    for (const buffer of writes) {
      // Several kernels write parts of it.
      if (written.has(buffer)) takeAll(buffer);
      written.add(buffer);
    }
  }
  const result = [...kernels];
  for (let k = kernels.length - 1; k >= 0; k--) {
    const kernel = kernels[k];
    const { buffers } = kernel;
    if (kernel.kind !== "loop" && kernel.kind !== "matmul") {
      touches[k].reads.forEach(takeAll);
      continue;
    }
    const narrowed = narrowKernel(kernel, boxes);
    result[k] = narrowed;
    const loops = loopsOf(narrowed);
    for (const { inner, code } of stagesOf(narrowed)) {
      const sizes = [...loops, ...inner];
      for (const load of code) {
        if (load.op !== "load" || load.access.buffer >= buffers.length) continue;
        const { access, guards, index } = load;
        add(buffers[access.buffer], !guards.length && !index, access, sizes);
      }
    }
    if (narrowed.kind === "loop") continue;
    const { batch, groups, a, b } = narrowed;
    if (groups) takeAll(buffers[groups.bounds]);
    for (const operand of [a, b]) {
      const buffer = buffers[operand.buffer];
      if (isAll(buffer)) continue;
      const { affine, rows, columns, guards } = matrixOf(narrowed, operand);
      add(buffer, !groups && !guards.length, affine, [...batch, ...rows, ...columns]);
    }
  }
  return result;
}

/** An operand of a product, with a loop for each digit of its rows and columns. */
interface Matrix extends Window {
  readonly operand: MatrixOperand;
  readonly affine: Affine;
}

function matrixOf({ a, m, n, k }: MatmulKernel, operand: MatrixOperand): Matrix {
  const isA = operand === a;
  const window = windowIn(operand, isA ? m : k, isA ? k : n);
  const { offset, batchStrides } = operand;
  const affine = { offset, strides: [...batchStrides, ...window.strides] };
  return { ...window, operand, affine };
}

function boxOf({ offset, strides }: Affine, sizes: readonly number[]): Box {
  const terms: [number, number][] = [];
  for (const [loop, count] of sizes.entries()) {
    const stride = strides[loop];
    if (stride < 0) offset += stride * (count - 1);
    if (stride !== 0) terms.push([Math.abs(stride), count]);
  }
  return { offset, terms };
}

/** The same kernel with those iterations of its loops that give something which is read. */
function narrowKernel(
  kernel: Narrowable,
  read: ReadonlyMap<number, readonly Box[] | undefined>,
): Narrowable {
  if (kernel.kind === "matmul" && kernel.groups) return kernel;
  const loops = loopsOf(kernel);
  let ranges: readonly Range[] | undefined;
  for (const { inner, code, stores } of stagesOf(kernel)) {
    // An index is checked whether or not anybody reads what it names.
    if (code.some(({ op }) => op === "check")) return kernel;
    for (const { access } of stores) {
      if (access.buffer >= kernel.buffers.length) continue;
      const boxes = read.get(kernel.buffers[access.buffer]);
      if (!boxes) return kernel;
      for (const box of boxes) {
        const own = rangesOf(box, access, [...loops, ...inner])?.slice(0, loops.length);
        if (!own) return kernel;
        ranges = ranges?.map((range, i) => union(range, own[i])) ?? own;
      }
    }
  }
  const isWhole = loops.every((size, i) => ranges === undefined || ranges[i].count === size);
  return !ranges || isWhole ? kernel : within(kernel, ranges);
}

/**
 * Which positions of each loop store the elements of a box: with strides that grow as those of digits do, an element is
 * stored at one point only. Undefined if that is not so, or if the box does not go along digits.
 */
function rangesOf(
  box: Box,
  { offset, strides }: Affine,
  sizes: readonly number[],
): Range[] | undefined {
  const digits = [...sizes.keys()].filter((loop) => sizes[loop] > 1);
  digits.sort((i, j) => strides[j] - strides[i]);
  const ranges = sizes.map(() => wholeLoop(1));
  let rest = box.offset - offset;
  for (const [place, loop] of digits.entries()) {
    const next = digits[place + 1];
    const least = next === undefined ? 1 : strides[next] * sizes[next];
    if (strides[loop] < least) return undefined;
    ranges[loop] = { start: Math.floor(rest / strides[loop]), step: 1, count: 1 };
    rest -= ranges[loop].start * strides[loop];
  }
  if (rest !== 0) return undefined;
  for (const [step, count] of box.terms) {
    if (count === 1) continue;
    const loop = digits.find((digit) => strides[digit] <= step);
    if (loop === undefined || step % strides[loop] !== 0 || ranges[loop].count > 1)
      return undefined;
    ranges[loop] = { start: ranges[loop].start, step: step / strides[loop], count };
  }
  const isInside = ranges.every((range, i) => range.start >= 0 && lastOf(range) < sizes[i]);
  return isInside ? ranges : undefined;
}

const wholeLoop = (count: number): Range => ({ start: 0, step: 1, count });
const lastOf = ({ start, step, count }: Range): number => start + step * (count - 1);

/** The same positions if two have the same, else all from the first to the last. */
function union(a: Range, b: Range): Range {
  if (a.start === b.start && a.step === b.step && a.count === b.count) return a;
  const start = Math.min(a.start, b.start);
  return { start, step: 1, count: Math.max(lastOf(a), lastOf(b)) - start + 1 };
}

/** The same expression, of loops that go through such positions of the first loops. */
function along<T extends Affine>(affine: T, ranges: readonly Range[]): T {
  const { offset, strides } = affine;
  return {
    ...affine,
    offset: ranges.reduce((sum, { start }, i) => sum + start * strides[i], offset),
    strides: strides.map((stride, i) => stride * (ranges[i]?.step ?? 1)),
  };
}

function within(kernel: Narrowable, ranges: readonly Range[]): Narrowable {
  const stageWithin = (stage: Stage): Stage =>
    withAffines(stage, (affine) => along(affine, ranges));
  const sizes = ranges.map(({ count }) => count);
  if (kernel.kind === "loop") {
    return { ...kernel, outer: sizes, stages: kernel.stages.map(stageWithin) };
  }
  const batch = ranges.slice(0, -2);
  const [rows, columns] = ranges.slice(-2);
  const terms = wholeLoop(kernel.k);
  const a = operandWithin(matrixOf(kernel, kernel.a), batch, rows, terms);
  const b = operandWithin(matrixOf(kernel, kernel.b), batch, terms, columns);
  if (!a || !b) return kernel;
  return {
    ...kernel,
    batch: sizes.slice(0, -2),
    m: rows.count,
    n: columns.count,
    a,
    b,
    epilogue: stageWithin(kernel.epilogue),
  };
}

/** An operand with such rows and columns alone, unless their digits are none that loops go through. */
function operandWithin(
  { operand, affine, rows, columns }: Matrix,
  batch: readonly Range[],
  rowRange: Range,
  columnRange: Range,
): MatrixOperand | undefined {
  const ownRows = digitRanges(rowRange, rows);
  const ownColumns = digitRanges(columnRange, columns);
  if (!ownRows || !ownColumns) return undefined;
  const own = [...batch, ...ownRows, ...ownColumns];
  const { offset, strides } = along(affine, own);
  const [batchStrides, digits] = [strides.slice(0, batch.length), strides.slice(batch.length)];
  const { window } = operand;
  const counts = (side: readonly Range[]): number[] => side.map(({ count }) => count);
  return {
    ...operand,
    offset,
    batchStrides,
    ...(window
      ? {
          window: {
            rows: counts(ownRows),
            columns: counts(ownColumns),
            strides: digits,
            guards: window.guards.map((guard) => along(guard, own)),
          },
        }
      : { rowStride: digits[0], columnStride: digits[1] }),
  };
}

/** The positions of each digit of some numbers. */
function digitRanges({ start, step, count }: Range, sizes: readonly number[]): Range[] | undefined {
  if (count === sizeOf(sizes)) return sizes.map(wholeLoop);
  const box = { offset: start, terms: [[step, count] as const] };
  return rangesOf(box, { offset: 0, strides: rowMajor(sizes) }, sizes);
}
