import { ArgumentError, checkOptions } from "@gradloom/tensor";
import { checkPositiveInteger } from "./check-option.ts";
import { LRSchedule, type LRScheduleOptions } from "./lr-schedule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Options of {@link LinearLR}. */
export interface LinearLROptions extends LRScheduleOptions {
  /** The share of the rate at the first step, above 0 and at most 1. Default 1/3. */
  readonly startFactor?: number;
  /** The share of the rate from `totalIters` on, in [0, 1]. Default 1. */
  readonly endFactor?: number;
  /** How many steps lead from one to the other. Default 5. */
  readonly totalIters?: number;
}

/**
 * Changes the rate along a line, for a warm-up say:
 * `lr(t) = lr(0) · (startFactor + (endFactor − startFactor) · min(t, totalIters) / totalIters)`.
 *
 * @throws ArgumentError if an option is out of its range.
 *
 * @example
 * ```ts
 * const schedule = new LinearLR(optimizer, { startFactor: 0.1, totalIters: 10 });
 * ```
 */
export class LinearLR extends LRSchedule<{
  startFactor: number;
  endFactor: number;
  totalIters: number;
}> {
  constructor(optimizer: Optimizer, options: LinearLROptions = {}) {
    checkOptions("LinearLR", options, {
      startFactor: true,
      endFactor: true,
      totalIters: true,
      lastEpoch: true,
    });
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5, lastEpoch } = options;
    if (!(startFactor > 0 && startFactor <= 1)) throw outOfRange("startFactor", startFactor);
    if (!(endFactor >= 0 && endFactor <= 1)) throw outOfRange("endFactor", endFactor);
    checkPositiveInteger("LinearLR", "totalIters", totalIters);
    super(optimizer, { startFactor, endFactor, totalIters }, lastEpoch);
  }

  protected rates(): number[] {
    const { startFactor, endFactor, totalIters } = this.settings;
    const t = this.lastEpoch;
    if (t === 0) return this.groups.map(({ lr }) => lr * startFactor);
    if (t > totalIters) return this.groups.map(({ lr }) => lr);
    const rise = endFactor - startFactor;
    // Rounding must not lead below 0, where no optimizer would load the rate.
    const ratio = Math.max(1 + rise / (totalIters * startFactor + (t - 1) * rise), 0);
    return this.groups.map(({ lr }) => lr * ratio);
  }

  protected override closedForm(): number[] {
    const { startFactor, endFactor, totalIters } = this.settings;
    const share = Math.min(totalIters, this.lastEpoch) / totalIters;
    return this.baseLrs.map((lr) => lr * (startFactor + (endFactor - startFactor) * share));
  }
}

function outOfRange(name: string, value: number): ArgumentError {
  const range = name === "startFactor" ? "(0, 1]" : "[0, 1]";
  return new ArgumentError(`LinearLR: ${name} must be in ${range}, got ${value}.`, {
    op: "LinearLR",
  });
}
