import type { LoopKernel, MatmulKernel, Stage } from "@gradloom/engine";

/**
 * A matrix product as a loop kernel: a sum for each element, then the epilogue. For the element types and
 * the sizes that blocking has nothing to offer to.
 */
export function matmulAsLoops(kernel: MatmulKernel): LoopKernel {
  const { a, b, dtype, epilogue } = kernel;
  const product: Stage = {
    inner: [kernel.k],
    code: [
      {
        op: "load",
        dtype,
        guards: [],
        access: {
          buffer: a.buffer,
          offset: a.offset,
          strides: [...a.batchStrides, a.rowStride, 0, a.columnStride],
        },
      },
      {
        op: "load",
        dtype,
        guards: [],
        access: {
          buffer: b.buffer,
          offset: b.offset,
          strides: [...b.batchStrides, 0, b.columnStride, b.rowStride],
        },
      },
      { op: "mul", dtype, args: [0, 1] },
    ],
    stores: [],
    results: [{ value: 2, reduce: "sum" }],
  };
  return {
    kind: "loop",
    buffers: kernel.buffers,
    scalars: kernel.scalars,
    label: kernel.label,
    outer: [...kernel.batch, kernel.m, kernel.n],
    scratch: [],
    stages: [
      product,
      {
        ...epilogue,
        code: epilogue.code.map((instruction) =>
          instruction.op === "product"
            ? { op: "result", dtype: instruction.dtype, stage: 0, result: 0 }
            : instruction,
        ),
      },
    ],
  };
}
