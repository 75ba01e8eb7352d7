import type { Program } from "./backend.ts";
import { byteSize } from "./dtype.ts";
import { elementOps } from "./element-op.ts";
import { type Affine, type Kernel, loopsOf, type Stage, stagesOf } from "./kernel.ts";
import { sizeOf } from "./shape.ts";

/** Floating-point or integer operations of a kernel: one for each element operation and each term reduced. */
export function flopsOf(kernel: Kernel): number {
  const perPoint = ({ code, results }: Stage) =>
    code.filter(({ op }) => op in elementOps).length +
    results.filter(({ reduce }) => reduce !== undefined).length;
  if (kernel.kind === "matmul") {
    const { batch, m, n, k, groups } = kernel;
    const points = sizeOf(batch) * m * n;
    const computed = groups?.along === "rows" ? m * n : points;
    // Each row, or each term, belongs to one group.
    return (groups ? m * n : points) * 2 * k + computed * perPoint(kernel.epilogue);
  }
  if (kernel.kind === "repeat") {
    return kernel.kernels.reduce((sum, inner) => sum + kernel.count * flopsOf(inner), 0);
  }
  const rows = sizeOf(kernel.outer);
  if (kernel.kind === "sort") return rows * kernel.size * Math.ceil(Math.log2(kernel.size + 1));
  if (kernel.kind === "scatter") {
    return rows * sizeOf(kernel.stage.inner) * (1 + perPoint(kernel.stage));
  }
  return kernel.stages.reduce((sum, stage) => {
    return sum + rows * sizeOf(stage.inner) * perPoint(stage);
  }, 0);
}

/** Bytes that a kernel must at least move: each element that it reads or writes, once. */
export function bytesOf(kernel: Kernel, { buffers }: Program): number {
  const elements = new Map<number, number>();
  const add = (position: number, count: number) => {
    const buffer = kernel.buffers[position];
    // Behind the buffers are rows of a thread's own.
    if (buffer !== undefined) elements.set(buffer, (elements.get(buffer) ?? 0) + count);
  };
  const outer = loopsOf(kernel);
  for (const { inner, code, stores } of stagesOf(kernel)) {
    const sizes = [...outer, ...inner];
    for (const i of code) {
      if (i.op === "load") add(i.access.buffer, i.index ? sizeOf(sizes) : reach(i.access, sizes));
    }
    for (const { access } of stores) add(access.buffer, reach(access, sizes));
  }
  if (kernel.kind === "matmul") {
    const { a, b, batch, m, n, k } = kernel;
    add(a.buffer, reach({ strides: a.batchStrides }, batch) * m * k);
    add(b.buffer, reach({ strides: b.batchStrides }, batch) * k * n);
  } else if (kernel.kind !== "loop") {
    for (const position of kernel.buffers.keys()) add(position, Infinity);
  }
  let bytes = 0;
  for (const [buffer, count] of elements) {
    const { dtype, length } = buffers[buffer];
    bytes += byteSize[dtype] * Math.min(length, count);
  }
  return bytes;
}

/** How many elements loops of these sizes go to. */
export function reach({ strides }: Pick<Affine, "strides">, sizes: readonly number[]): number {
  return sizeOf(sizes.filter((_, i) => strides[i] !== 0));
}
