import { live, type Tensor } from "@gradloom/tensor";
import { checkBetas, checkNonNegative } from "./check-option.ts";
import { Optimizer, type Parameters } from "./optimizer.ts";
import { withDefaults } from "./with-defaults.ts";

/** Options of {@link Lion}. */
export interface LionOptions {
  /** Default 1e-4: a third to a tenth of what is right for AdamW, since every element moves by `lr`. */
  lr?: number;
  /** The share of the average in the direction, and how slowly the average forgets. Default `[0.9, 0.99]`. */
  betas?: readonly [number, number];
  /** How strongly weights are drawn to 0, apart from the gradient. Default 0. */
  weightDecay?: number;
  /** Whether to climb instead of to descend. Default false. */
  maximize?: boolean;
}

/**
 * Moves every element by `lr`, in the direction of the sign of an average of gradients.
 *
 * ```text
 * c ← sign(β₁ m + (1 − β₁) g)
 * θ ← θ − lr · (c + weightDecay · θ)
 * m ← β₂ m + (1 − β₂) g
 * ```
 *
 * - Remembers `exp_avg` (m)
 * - Paper: Chen et al. 2023, Symbolic discovery of optimization algorithms, https://arxiv.org/abs/2302.06675
 *
 * @example
 * ```ts
 * const optimizer = new Lion(model.parameters(), { lr: 1e-4, weightDecay: 0.1 });
 * ```
 */
export class Lion extends Optimizer<Required<LionOptions>> {
  protected readonly momentNames: readonly string[] = ["exp_avg"];

  constructor(params: Parameters<Required<LionOptions>>, options: LionOptions = {}) {
    super(
      params,
      withDefaults("Lion", options, {
        lr: 1e-4,
        betas: [0.9, 0.99],
        weightDecay: 0,
        maximize: false,
      }),
    );
  }

  protected checkOptions(options: Required<LionOptions>): void {
    checkNonNegative("Lion", "lr", options.lr);
    checkNonNegative("Lion", "weightDecay", options.weightDecay);
    checkBetas("Lion", options.betas);
  }

  protected update(theta: Tensor, gradient: Tensor, options: Required<LionOptions>): void {
    const { weightDecay, maximize } = options;
    const lr = live(() => options.lr, theta);
    const beta1 = live(() => options.betas[0], theta);
    const rest = live(() => 1 - options.betas[0], theta);
    const beta2 = live(() => options.betas[1], theta);
    const rest2 = live(() => 1 - options.betas[1], theta);
    const m = this.moment(theta, "exp_avg");

    const g = maximize ? gradient.neg() : gradient;
    const c = m.mul(beta1).add(g.mul(rest)).sign();
    const decayed = theta.mul(live(() => 1 - options.lr * weightDecay, theta));
    theta.assign(decayed.sub(c.mul(lr)));
    m.assign(m.mul(beta2).add(g.mul(rest2)));
  }
}
