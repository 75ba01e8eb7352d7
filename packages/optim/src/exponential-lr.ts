import { checkOptions } from "@gradloom/tensor";
import { checkReal } from "./check-option.ts";
import { LRSchedule, type LRScheduleOptions } from "./lr-schedule.ts";
import type { Optimizer } from "./optimizer.ts";

/**
 * Multiplies the rate by `gamma` at each step: `lr(t) = lr(0) · gammaᵗ`.
 *
 * @example
 * ```ts
 * const schedule = new ExponentialLR(optimizer, 0.95);
 * ```
 */
export class ExponentialLR extends LRSchedule<{ gamma: number }> {
  constructor(optimizer: Optimizer, gamma: number, options: LRScheduleOptions = {}) {
    checkOptions("ExponentialLR", options, { lastEpoch: true });
    checkReal("ExponentialLR", "gamma", gamma);
    super(optimizer, { gamma }, options.lastEpoch);
  }

  protected rates(): number[] {
    const { gamma } = this.settings;
    return this.groups.map(({ lr }) => (this.lastEpoch === 0 ? lr : lr * gamma));
  }

  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * this.settings.gamma ** this.lastEpoch);
  }
}
