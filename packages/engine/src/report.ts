import { bytesOf, flopsOf } from "./cost.ts";
import { type Kernel, stagesOf } from "./kernel.ts";
import type { Plan } from "./plan.ts";

/** One kernel of a plan, described. */
export interface KernelReport {
  /** `matmul`, `loop`, `scatter`, `sort` or `repeat`, and the loops' sizes. */
  readonly kind: string;
  readonly sizes: readonly number[];
  /** The operations that were fused into it. */
  readonly operations: readonly string[];
  readonly bytes: number;
  readonly flops: number;
  /** Where it was measured. */
  readonly milliseconds: number | undefined;
}

/** What a plan does and needs. */
export interface PlanReport {
  readonly kernels: readonly KernelReport[];
  readonly arenaBytes: number;
  /** Operations that an earlier plan computed already, and this one computes again. */
  readonly recomputed: number;
}

function sizesOf(kernel: Kernel): number[] {
  if (kernel.kind === "matmul") return [...kernel.batch, kernel.m, kernel.n, kernel.k];
  if (kernel.kind === "repeat") return [kernel.count];
  if (kernel.kind === "sort") return [...kernel.outer, kernel.size];
  const inner = stagesOf(kernel).find((stage) => stage.inner.length > 0)?.inner ?? [];
  return [...kernel.outer, ...inner];
}

/** Describes a plan, with the times of its kernels if they were measured. */
export function reportOf(
  plan: Plan,
  times: readonly number[] | undefined,
  recomputed: number,
): PlanReport {
  const { program } = plan;
  const kernels = program.kernels.map((kernel, i) => ({
    kind: kernel.kind,
    sizes: sizesOf(kernel),
    operations: kernel.label,
    bytes: bytesOf(kernel, program),
    flops: flopsOf(kernel),
    milliseconds: times?.[i],
  }));
  return { kernels, arenaBytes: program.arenaBytes, recomputed };
}
