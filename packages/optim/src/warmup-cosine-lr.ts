import { ArgumentError, checkOptions } from "@gradloom/tensor";
import { checkPositiveInteger, checkReal } from "./check-option.ts";
import { LRSchedule, type LRScheduleOptions } from "./lr-schedule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Options of {@link WarmupCosineLR}. */
export interface WarmupCosineLROptions extends LRScheduleOptions {
  /** The rate from `totalSteps` on. Default 0. */
  readonly etaMin?: number;
}

/**
 * Raises the rate along a line, then lowers it along half a cosine: how most transformers are trained.
 *
 * ```text
 * t < warmupSteps     lr(0) · t / warmupSteps
 * up to totalSteps    etaMin + (lr(0) − etaMin) · (1 + cos(π p)) / 2,  p = (t − warmupSteps) / (totalSteps − warmupSteps)
 * from there on       etaMin
 * ```
 *
 * PyTorch has no such schedule. The formula is that of `get_cosine_schedule_with_warmup` in Hugging Face's
 * transformers, which begins with a rate of 0 as well. The rate depends on the step alone, so it does not multiply with
 * other schedules.
 *
 * @throws ArgumentError if `totalSteps` is not a positive integer, or `warmupSteps` not one from 0 to `totalSteps`.
 *
 * @example
 * ```ts
 * const schedule = new WarmupCosineLR(optimizer, 100, 2000, { etaMin: 1e-5 });
 * ```
 */
export class WarmupCosineLR extends LRSchedule<{
  warmupSteps: number;
  totalSteps: number;
  etaMin: number;
}> {
  override readonly interval = "step";

  constructor(
    optimizer: Optimizer,
    warmupSteps: number,
    totalSteps: number,
    options: WarmupCosineLROptions = {},
  ) {
    checkOptions("WarmupCosineLR", options, { etaMin: true, lastEpoch: true });
    const op = "WarmupCosineLR";
    const { etaMin = 0, lastEpoch } = options;
    checkPositiveInteger(op, "totalSteps", totalSteps);
    checkReal(op, "etaMin", etaMin);
    if (!Number.isInteger(warmupSteps) || warmupSteps < 0 || warmupSteps > totalSteps) {
      throw new ArgumentError(
        `${op}: warmupSteps must be an integer from 0 to totalSteps (${totalSteps}), got ${warmupSteps}.`,
        { op },
      );
    }
    super(optimizer, { warmupSteps, totalSteps, etaMin }, lastEpoch);
  }

  protected rates(): number[] {
    const { warmupSteps, totalSteps, etaMin } = this.settings;
    const t = this.lastEpoch;
    if (t < warmupSteps) return this.baseLrs.map((lr) => (lr * t) / warmupSteps);
    if (t >= totalSteps) return this.baseLrs.map(() => etaMin);
    const left = (1 + Math.cos((Math.PI * (t - warmupSteps)) / (totalSteps - warmupSteps))) / 2;
    return this.baseLrs.map((lr) => etaMin + (lr - etaMin) * left);
  }
}
