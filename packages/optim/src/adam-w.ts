import { live, type Tensor } from "@gradloom/tensor";
import { type AdamOptions, checkAdamOptions, withDefaults } from "./adam.ts";
import { Optimizer, type Parameters } from "./optimizer.ts";

/**
 * Adam with decoupled weight decay: weights shrink by themselves, not through the gradient and its
 * averages.
 *
 * ```text
 * θ ← θ − lr · weightDecay · θ
 * m ← β₁ m + (1 − β₁) g        m̂ = m / (1 − β₁ᵗ)
 * v ← β₂ v + (1 − β₂) g²       v̂ = v / (1 − β₂ᵗ)
 * θ ← θ − lr · m̂ / (√v̂ + ε)
 * ```
 *
 * With `amsgrad` the largest `v` so far takes the place of `v` in the last line.
 *
 * - Remembers `step`, `exp_avg` (m), `exp_avg_sq` (v), `max_exp_avg_sq`
 * - Paper: Loshchilov & Hutter 2017, https://arxiv.org/abs/1711.05101
 */
export class AdamW extends Optimizer<Required<AdamOptions>> {
  protected readonly momentNames: readonly string[] = ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"];

  constructor(params: Parameters<Required<AdamOptions>>, options: AdamOptions = {}) {
    super(params, withDefaults(options, 0.01));
  }

  protected checkOptions(options: Required<AdamOptions>): void {
    checkAdamOptions("AdamW", options);
  }

  protected update(theta: Tensor, gradient: Tensor, options: Required<AdamOptions>): void {
    const { eps, weightDecay, amsgrad, maximize } = options;
    const beta2 = options.betas[1];
    const t = this.countStep(theta);
    const lr = live(() => options.lr, theta);
    // A schedule may change it, as it does lr.
    const beta1 = live(() => options.betas[0], theta);
    const rest = live(() => 1 - options.betas[0], theta);
    const m = this.moment(theta, "exp_avg");
    const v = this.moment(theta, "exp_avg_sq");

    const g = maximize ? gradient.neg() : gradient;
    m.assign(m.mul(beta1).add(g.mul(rest)));
    v.assign(v.mul(beta2).add(g.square().mul(1 - beta2)));

    const largest = amsgrad ? this.moment(theta, "max_exp_avg_sq") : v;
    if (amsgrad) largest.assign(largest.maximum(v));
    const mHat = m.div(live(() => 1 - options.betas[0] ** t(), theta));
    const vHat = largest.div(live(() => 1 - beta2 ** t(), theta));
    const decayed = theta.mul(live(() => 1 - options.lr * weightDecay, theta));
    theta.assign(decayed.sub(mHat.mul(lr).div(vHat.sqrt().add(eps))));
  }
}
