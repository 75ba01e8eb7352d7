import { checkOptions } from "@gradloom/tensor";
import { checkPositiveInteger, checkReal } from "./check-option.ts";
import { LRSchedule, type LRScheduleOptions } from "./lr-schedule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Options of {@link StepLR}. */
export interface StepLROptions extends LRScheduleOptions {
  /** What the rate is multiplied by. Default 0.1. */
  readonly gamma?: number;
}

/**
 * Multiplies the rate by `gamma` every `stepSize` steps: `lr(t) = lr(0) · gammaᵏ`, `k = ⌊t / stepSize⌋`.
 *
 * @throws ArgumentError if `stepSize` is not a positive integer.
 *
 * @example
 * ```ts
 * const schedule = new StepLR(optimizer, 30, { gamma: 0.1 });
 * ```
 */
export class StepLR extends LRSchedule<{ stepSize: number; gamma: number }> {
  constructor(optimizer: Optimizer, stepSize: number, options: StepLROptions = {}) {
    checkOptions("StepLR", options, { gamma: true, lastEpoch: true });
    const { gamma = 0.1, lastEpoch } = options;
    checkPositiveInteger("StepLR", "stepSize", stepSize);
    checkReal("StepLR", "gamma", gamma);
    super(optimizer, { stepSize, gamma }, lastEpoch);
  }

  protected rates(): number[] {
    const { stepSize, gamma } = this.settings;
    const isDue = this.lastEpoch !== 0 && this.lastEpoch % stepSize === 0;
    return this.groups.map(({ lr }) => (isDue ? lr * gamma : lr));
  }

  protected override closedForm(): number[] {
    const { stepSize, gamma } = this.settings;
    return this.baseLrs.map((lr) => lr * gamma ** Math.floor(this.lastEpoch / stepSize));
  }
}
