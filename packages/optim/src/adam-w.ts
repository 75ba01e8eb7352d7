import type { Tensor } from "@gradloom/tensor";
import { type AdamOptions, adamNumbers, checkAdamOptions, withAdamDefaults } from "./adam.ts";
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
    super(params, withAdamDefaults("AdamW", options, 0.01));
  }

  protected checkOptions(options: Required<AdamOptions>): void {
    checkAdamOptions("AdamW", options);
  }

  protected update(theta: Tensor, gradient: Tensor, options: Required<AdamOptions>): void {
    const { amsgrad, maximize } = options;
    const t = this.countStep(theta);
    const { beta1, rest1, beta2, rest2, rate, correction2, eps, kept } = this.numbers(
      theta,
      options,
      () => ({
        ...adamNumbers(options, t),
        kept: () => 1 - options.lr * options.weightDecay,
      }),
    );
    const m = this.moment(theta, "exp_avg");
    const v = this.moment(theta, "exp_avg_sq");

    const g = maximize ? gradient.neg() : gradient;
    m.assign(m.mul(beta1).add(g.mul(rest1)));
    v.assign(v.mul(beta2).add(g.square().mul(rest2)));

    const largest = amsgrad ? this.moment(theta, "max_exp_avg_sq") : v;
    if (amsgrad) largest.assign(largest.maximum(v));
    const vHat = largest.div(correction2);
    theta.assign(theta.mul(kept).sub(m.mul(rate).div(vHat.sqrt().add(eps))));
  }
}
