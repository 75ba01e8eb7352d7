import {
  createArray,
  type Kernel,
  type LoopKernel,
  type MatmulKernel,
  type TypedArray,
} from "@gradloom/engine";
import { fit } from "./element-rules.ts";
import { compileAffine, forEachPoint } from "./loops.ts";
import { compileStage, type Frame } from "./stage.ts";

/** A compiled kernel, to be called with its buffers and scalars, in its own order. */
export type KernelFunction = (arrays: readonly TypedArray[], scalars: readonly number[]) => void;

/** Makes the description of a kernel into a function. */
export function compileKernel(kernel: Kernel): KernelFunction {
  switch (kernel.kind) {
    case "loop":
      return compileLoopKernel(kernel);
    case "matmul":
      return compileMatmul(kernel);
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
  const { a, b, batch, m, n, k, dtype } = kernel;
  const loops = [...batch, m, n];
  const epilogue = compileStage(kernel.epilogue, 0, loops.length);
  // Where the row of `a` and the column of `b` start.
  const rowOfA = compileAffine({
    offset: a.offset,
    strides: [...a.batchStrides, a.rowStride, 0],
  });
  const columnOfB = compileAffine({
    offset: b.offset,
    strides: [...b.batchStrides, 0, b.columnStride],
  });
  return (arrays, scalars) => {
    const frame = createFrame(arrays, scalars);
    const left = arrays[a.buffer];
    const right = arrays[b.buffer];
    forEachPoint(loops, frame.loops, 0, () => {
      const i = rowOfA(frame.loops);
      const j = columnOfB(frame.loops);
      let sum = 0;
      for (let p = 0; p < k; p++) {
        const x = left[i + p * a.columnStride];
        const y = right[j + p * b.rowStride];
        sum = dtype === "int32" ? (sum + Math.imul(x, y)) | 0 : sum + x * y;
      }
      frame.product = fit[dtype](sum);
      epilogue(frame);
    });
  };
}

function createFrame(arrays: readonly TypedArray[], scalars: readonly number[]): Frame {
  return { arrays, scalars, loops: [], values: [], results: [], product: 0 };
}
