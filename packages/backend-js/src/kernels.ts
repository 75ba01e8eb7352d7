import {
  byteSize,
  createArray,
  type Kernel,
  type LoopKernel,
  type MatmulKernel,
  type MatrixOperand,
  type RepeatKernel,
  type ScatterKernel,
  type SortKernel,
  type TypedArray,
  viewArray,
  windowIn,
} from "@gradloom/engine";
import { fit } from "./element-rules.ts";
import { compileAffine, forEachPoint } from "./loops.ts";
import { compileAccess, compileGuard, compileStage, type Frame } from "./stage.ts";

/** A compiled kernel, to be called with its buffers and scalars, in its own order. */
export type KernelFunction = (arrays: readonly TypedArray[], scalars: readonly number[]) => void;

/** Makes the description of a kernel into a function. */
export function compileKernel(kernel: Kernel): KernelFunction {
  switch (kernel.kind) {
    case "loop":
      return compileLoopKernel(kernel);
    case "matmul":
      return compileMatmul(kernel);
    case "scatter":
      return compileScatter(kernel);
    case "sort":
      return compileSort(kernel);
    case "repeat":
      return compileRepeat(kernel);
    default:
      throw kernel satisfies never;
  }
}

function compileLoopKernel(kernel: LoopKernel): KernelFunction {
  const stages = kernel.stages.map((stage, i) => compileStage(stage, i, kernel.outer.length));
  return (arrays, scalars) => {
    const scratch = kernel.scratch.map(({ dtype, length }) => createArray(dtype, length));
    const frame = createFrame([...arrays, ...scratch], scalars);
    forEachPoint(kernel.outer, frame.loops, 0, () => {
      for (const stage of stages) stage(frame);
    });
  };
}

function compileMatmul(kernel: MatmulKernel): KernelFunction {
  const { a, b, batch, m, n, k, dtype, groups } = kernel;
  const epilogue = compileStage(kernel.epilogue, 0, batch.length + 2);
  const left = compileOperand(a, batch, m, k);
  const right = compileOperand(b, batch, k, n);
  return (arrays, scalars) => {
    const frame = createFrame(arrays, scalars);
    const { loops } = frame;
    forEachPoint([...batch, m, n], loops, 0, () => {
      const [i, j] = loops.slice(batch.length);
      let sum = 0;
      let [first, last] = [0, k];
      if (groups) {
        const [group] = loops;
        const [start, end] = arrays[groups.bounds].subarray(group, group + 2);
        if (groups.along === "terms") [first, last] = [start, end];
        // Behind the last group there are zeros; all other rows are those of another group.
        else if (i >= end && group === batch[0] - 1) last = 0;
        else if (i < start || i >= end) return;
      }
      for (let p = first; p < last; p++) {
        const x = left(frame, i, p);
        const y = right(frame, p, j);
        sum = dtype === "int32" ? (sum + Math.imul(x, y)) | 0 : sum + x * y;
      }
      frame.product = fit[dtype](sum);
      epilogue(frame);
    });
  };
}

/** The element in a row and a column of the matrix that the frame's batch loops are at. */
function compileOperand(
  operand: MatrixOperand,
  batch: readonly number[],
  rows: number,
  columns: number,
): (frame: Frame, row: number, column: number) => number {
  const { buffer, offset, batchStrides } = operand;
  const window = windowIn(operand, rows, columns);
  const locate = compileAffine({ offset, strides: [...batchStrides, ...window.strides] });
  const guards = window.guards.map(compileGuard);
  return ({ arrays, loops }, row, column) => {
    const at = [
      ...loops.slice(0, batch.length),
      ...digitsOf(row, window.rows),
      ...digitsOf(column, window.columns),
    ];
    return guards.every((holds) => holds(at)) ? arrays[buffer][locate(at)] : 0;
  };
}

function digitsOf(number: number, sizes: readonly number[]): number[] {
  const digits: number[] = [];
  for (let i = sizes.length - 1; i >= 0; i--) {
    digits.unshift(number % sizes[i]);
    number = Math.floor(number / sizes[i]);
  }
  return digits;
}

function compileScatter(kernel: ScatterKernel): KernelFunction {
  const { outer, size, stage, index, value, target, combine, dtype } = kernel;
  const run = compileStage(stage, 0, outer.length);
  const locate = compileAffine(target);
  const add =
    dtype === "int32" ? (a: number, b: number) => (a + b) | 0 : (a: number, b: number) => a + b;
  return (arrays, scalars) => {
    const frame = createFrame(arrays, scalars);
    forEachPoint(outer, frame.loops, 0, () => {
      const row = new Array<number>(size).fill(0);
      run(frame, ({ values }) => {
        const at = values[index];
        row[at] =
          combine === "max" ? Math.max(row[at], values[value]) : add(row[at], values[value]);
      });
      row.forEach((result, position) => {
        const place = [...frame.loops.slice(0, outer.length), position];
        arrays[target.buffer][locate(place)] = fit[dtype](result);
      });
    });
  };
}

function compileSort(kernel: SortKernel): KernelFunction {
  const { outer, size, count, descending } = kernel;
  const read = compileAccess(kernel.source);
  const place = compileAccess(kernel.target);
  return (arrays, scalars) => {
    const frame = createFrame(arrays, scalars);
    const { loops } = frame;
    forEachPoint(outer, loops, 0, () => {
      const row: number[] = [];
      for (let i = 0; i < size; i++) {
        loops[outer.length] = i;
        row.push(arrays[kernel.source.buffer][read(frame)]);
      }
      const sign = descending ? -1 : 1;
      const positions = row
        .map((_, i) => i)
        .sort((a, b) => sign * compare(row[a], row[b]) || a - b);
      for (let i = 0; i < count; i++) {
        loops[outer.length] = i;
        arrays[kernel.target.buffer][place(frame)] = positions[i];
      }
    });
  };
}

function compileRepeat({ count, kernels, slots }: RepeatKernel): KernelFunction {
  const functions = kernels.map(compileKernel);
  return (arrays) => {
    for (let t = 0; t < count; t++) {
      const views = slots.map(({ dtype, length, buffer, offset, step, shift, period, initial }) => {
        if (t === 0 && initial !== undefined) return arrays[initial];
        const bytes = arrays[buffer];
        const start = (offset + step * ((t + shift) % period)) * byteSize[dtype];
        return viewArray(dtype, bytes.buffer, bytes.byteOffset + start, length);
      });
      functions.forEach((run, i) => {
        run(
          kernels[i].buffers.map((slot) => views[slot]),
          [],
        );
      });
    }
  };
}

/** Numbers in ascending order, then NaN. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : Number(a > b);
}

function createFrame(arrays: readonly TypedArray[], scalars: readonly number[]): Frame {
  return { arrays, scalars, loops: [], values: [], results: [], product: 0 };
}
