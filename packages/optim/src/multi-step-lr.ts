import { ArgumentError, checkOptions } from "@gradloom/tensor";
import { checkReal } from "./check-option.ts";
import { isCount, LRSchedule, type LRScheduleOptions, type ScheduleState } from "./lr-schedule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Options of {@link MultiStepLR}. */
export interface MultiStepLROptions extends LRScheduleOptions {
  /** What the rate is multiplied by. Default 0.1. */
  readonly gamma?: number;
}

/**
 * Multiplies the rate by `gamma` at each of the milestones: `lr(t) = lr(0) · gammaᵏ`, where `k` milestones are at most
 * `t`. One that is listed twice counts twice.
 *
 * @throws ArgumentError if a milestone is not an integer.
 *
 * @example
 * ```ts
 * const schedule = new MultiStepLR(optimizer, [30, 80]);
 * ```
 */
export class MultiStepLR extends LRSchedule<{ milestones: readonly number[]; gamma: number }> {
  constructor(
    optimizer: Optimizer,
    milestones: readonly number[],
    options: MultiStepLROptions = {},
  ) {
    checkOptions("MultiStepLR", options, { gamma: true, lastEpoch: true });
    const { gamma = 0.1, lastEpoch } = options;
    if (!Array.isArray(milestones) || !milestones.every(Number.isInteger)) {
      throw new ArgumentError(
        `MultiStepLR: milestones must be a list of integers, got ${JSON.stringify(milestones)}.`,
        { op: "MultiStepLR" },
      );
    }
    checkReal("MultiStepLR", "gamma", gamma);
    super(optimizer, { milestones: [...milestones], gamma }, lastEpoch);
  }

  /** @internal PyTorch counts its milestones: `{ 30: 1, 80: 2 }` is 30, 80 and 80. */
  override restore(dict: ScheduleState): void {
    const { milestones } = dict;
    super.restore(isCounts(milestones) ? { ...dict, milestones: listed(milestones) } : dict);
  }

  protected rates(): number[] {
    const { milestones, gamma } = this.settings;
    const count = milestones.filter((milestone) => milestone === this.lastEpoch).length;
    return this.groups.map(({ lr }) => lr * gamma ** count);
  }

  protected override closedForm(): number[] {
    const { milestones, gamma } = this.settings;
    const passed = milestones.filter((milestone) => milestone <= this.lastEpoch).length;
    return this.baseLrs.map((lr) => lr * gamma ** passed);
  }
}

function isCounts(value: unknown): value is Readonly<Record<string, number>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([milestone, count]) => isCount(Number(milestone)) && isCount(count) && count >= 0,
  );
}

function listed(counts: Readonly<Record<string, number>>): number[] {
  return Object.entries(counts).flatMap(([milestone, count]) =>
    Array.from({ length: count }, () => Number(milestone)),
  );
}
