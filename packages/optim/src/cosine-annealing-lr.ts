import { checkOptions } from "@gradloom/tensor";
import { checkPositiveInteger, checkReal } from "./check-option.ts";
import { LRSchedule, type LRScheduleOptions } from "./lr-schedule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Options of {@link CosineAnnealingLR}. */
export interface CosineAnnealingLROptions extends LRScheduleOptions {
  /** The least rate. Default 0. */
  readonly etaMin?: number;
}

/**
 * Lowers the rate along half a cosine, to `etaMin` at step `tMax`, and up again after that:
 * `lr(t) = etaMin + (lr(0) − etaMin) · (1 + cos(π t / tMax)) / 2`.
 *
 * - Paper: Loshchilov & Hutter 2016, https://arxiv.org/abs/1608.03983, without the restarts
 *
 * @throws ArgumentError if `tMax` is not a positive integer.
 *
 * @example
 * ```ts
 * const schedule = new CosineAnnealingLR(optimizer, 100);
 * ```
 */
export class CosineAnnealingLR extends LRSchedule<{ tMax: number; etaMin: number }> {
  constructor(optimizer: Optimizer, tMax: number, options: CosineAnnealingLROptions = {}) {
    checkOptions("CosineAnnealingLR", options, { etaMin: true, lastEpoch: true });
    const { etaMin = 0, lastEpoch } = options;
    checkPositiveInteger("CosineAnnealingLR", "tMax", tMax);
    checkReal("CosineAnnealingLR", "etaMin", etaMin);
    super(optimizer, { tMax, etaMin }, lastEpoch);
  }

  /** The share of the way that is left at a step. */
  private left(t: number): number {
    return (1 + Math.cos((Math.PI * t) / this.settings.tMax)) / 2;
  }

  protected rates(): number[] {
    const { tMax, etaMin } = this.settings;
    const t = this.lastEpoch;
    if (t === 0) return this.groups.map(({ lr }) => lr);
    if (this.stepCount === 1) return this.closedForm();
    // The step before was at etaMin, from which no ratio leads up.
    if ((t - 1 - tMax) % (2 * tMax) === 0) {
      return this.groups.map(({ lr }, i) => lr + (this.baseLrs[i] - etaMin) * this.left(tMax - 1));
    }
    const ratio = this.left(t) / this.left(t - 1);
    return this.groups.map(({ lr }) => ratio * (lr - etaMin) + etaMin);
  }

  protected override closedForm(): number[] {
    const { etaMin } = this.settings;
    return this.baseLrs.map((lr) => etaMin + (lr - etaMin) * this.left(this.lastEpoch));
  }
}
