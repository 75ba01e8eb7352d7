import type { Program } from "./backend.ts";
import { byteSize } from "./dtype.ts";
import { elementOps } from "./element-op.ts";
import type { Kernel, Stage } from "./kernel.ts";
import { touched } from "./memory.ts";
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

/** Bytes that a kernel must at least move: each buffer that it reads or writes, once. */
export function bytesOf(kernel: Kernel, program: Program): number {
  const { reads, writes } = touched(kernel);
  const size = (buffer: number) => {
    const { dtype, length } = program.buffers[buffer];
    return byteSize[dtype] * length;
  };
  let bytes = 0;
  for (const buffer of reads) bytes += size(buffer);
  for (const buffer of writes) bytes += size(buffer);
  return bytes;
}
