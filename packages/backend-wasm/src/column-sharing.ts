import type { Kernel, LoopKernel, MatmulKernel } from "@gradloom/engine";
import { withStrides } from "./loop-nest.ts";
import { plainOutput, sharedColumns } from "./matmul-plan.ts";

/** A product of more rows is shared by rows. */
const fewRows = 64;
/** Rows of more terms do not stay in the first cache. */
const fewTerms = 512;

/** Kernels of a loop, and for some products, by position: into how many parts of equal width their columns are divided. */
export interface SharedColumns {
  readonly kernels: readonly Kernel[];
  readonly parts: ReadonlyMap<number, number>;
}

/**
 * Has threads share the columns of a loop's products rather than the rows: each thread finds its part of the weights in its own
 * cache in all repetitions. What reads a product's columns `j`, `j + n`, `j + 2 n` …, as the gates of a recurrent network do,
 * is shared by the same columns `j`, so only the next state goes from core to core.
 */
export function shareColumns(
  threads: number,
  kernels: readonly Kernel[],
  still: ReadonlySet<number>,
): SharedColumns {
  const parts = new Map<number, number>();
  const result = [...kernels];
  kernels.forEach((kernel, i) => {
    if (kernel.kind !== "matmul") return;
    const { m, n, k, b, buffers, batch } = kernel;
    if (batch.length > 0 || m > fewRows || k > fewTerms || !still.has(buffers[b.buffer])) return;
    const next = kernels[i + 1];
    if (next?.kind !== "loop") return;
    const width = next.outer[1];
    if (!readsParts(kernel, next) || n % width !== 0 || width % (sharedColumns * threads) !== 0) {
      return;
    }
    parts.set(i, n / width);
    result[i + 1] = byColumns(next, threads);
  });
  return { kernels: result, parts };
}

/** Whether a kernel is one loop over the rows of a product, and another along some of its columns. */
function readsParts(kernel: MatmulKernel, { outer, stages, buffers }: LoopKernel): boolean {
  const output = plainOutput(kernel)?.access;
  if (output === undefined || outer.length !== 2 || outer[0] !== kernel.m) return false;
  if (stages.length !== 1 || stages[0].inner.length > 0) return false;
  const target = kernel.buffers[output.buffer];
  const reads = stages[0].code.flatMap((instruction) =>
    instruction.op === "load" && buffers[instruction.access.buffer] === target
      ? [instruction.access.strides]
      : [],
  );
  return reads.length > 0 && reads.every((strides) => String(strides) === String(output.strides));
}

/** The same loops, with a block of columns for each thread outside. */
function byColumns(kernel: LoopKernel, threads: number): LoopKernel {
  const [rows, columns] = kernel.outer;
  const width = columns / threads;
  return {
    ...kernel,
    outer: [threads, rows, width],
    stages: kernel.stages.map((stage) =>
      withStrides(stage, ([row, column]) => [column * width, row, column]),
    ),
  };
}
