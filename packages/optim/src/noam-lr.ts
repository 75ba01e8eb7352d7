import { checkOptions } from "@gradloom/tensor";
import { checkPositiveInteger } from "./check-option.ts";
import { LRSchedule, type LRScheduleOptions } from "./lr-schedule.ts";
import type { Optimizer } from "./optimizer.ts";

/**
 * The schedule of "Attention Is All You Need": the rate rises along a line for `warmupSteps` steps, then falls with the root of the
 * number of steps.
 *
 * ```text
 * lr(0) · dModel^(−1/2) · min(n^(−1/2), n · warmupSteps^(−3/2)),  n = t + 1
 * ```
 *
 * The optimizer's own rate is a factor; the paper's is 1, with `Adam(params, { lr: 1, betas: [0.9, 0.98], eps: 1e-9 })`. The
 * largest rate is `lr(0) / √(dModel · warmupSteps)`.
 *
 * - Paper: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 5.3
 * - PyTorch has no such schedule; there it is a `LambdaLR`
 * @throws ArgumentError if `dModel` or `warmupSteps` is not a positive integer.
 *
 * @example
 * ```ts
 * const schedule = new NoamLR(optimizer, 512, 4000);
 * ```
 */
export class NoamLR extends LRSchedule<{ dModel: number; warmupSteps: number }> {
  override readonly interval = "step";

  constructor(
    optimizer: Optimizer,
    dModel: number,
    warmupSteps: number,
    options: LRScheduleOptions = {},
  ) {
    checkOptions("NoamLR", options, { lastEpoch: true });
    checkPositiveInteger("NoamLR", "dModel", dModel);
    checkPositiveInteger("NoamLR", "warmupSteps", warmupSteps);
    super(optimizer, { dModel, warmupSteps }, options.lastEpoch);
  }

  protected rates(): number[] {
    const { dModel, warmupSteps } = this.settings;
    const n = this.lastEpoch + 1;
    const scale = dModel ** -0.5 * Math.min(n ** -0.5, n * warmupSteps ** -1.5);
    return this.baseLrs.map((lr) => lr * scale);
  }
}
