import type { Tensor } from "@gradloom/tensor";
import { checkBetas, checkNonNegative } from "./check-option.ts";
import { Optimizer, type Parameters } from "./optimizer.ts";
import { withDefaults } from "./with-defaults.ts";

/** Options of {@link Adam} and `AdamW`. */
export interface AdamOptions {
  /** Default 1e-3. */
  lr?: number;
  /** How slowly the averages of the gradient and of its square forget. Default `[0.9, 0.999]`. */
  betas?: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  eps?: number;
  /** How strongly weights are drawn to 0. Default: `Adam` 0, `AdamW` 0.01. */
  weightDecay?: number;
  /** Whether the denominator never shrinks. Default false. */
  amsgrad?: boolean;
  /** Whether to climb instead of to descend. Default false. */
  maximize?: boolean;
}

/**
 * Adam: steps along the average gradient, divided by the root of the average square.
 *
 * ```text
 * g ← g + weightDecay · θ
 * m ← β₁ m + (1 − β₁) g        m̂ = m / (1 − β₁ᵗ)
 * v ← β₂ v + (1 − β₂) g²       v̂ = v / (1 − β₂ᵗ)
 * θ ← θ − lr · m̂ / (√v̂ + ε)
 * ```
 *
 * With `amsgrad` the largest `v` so far takes the place of `v` in the last line.
 *
 * - Remembers `step`, `exp_avg` (m), `exp_avg_sq` (v), `max_exp_avg_sq`
 * - Paper: Kingma & Ba 2014, https://arxiv.org/abs/1412.6980; Reddi et al. 2018,
 *   https://openreview.net/forum?id=ryQu7f-RZ
 */
export class Adam extends Optimizer<Required<AdamOptions>> {
  protected readonly momentNames: readonly string[] = ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"];

  constructor(params: Parameters<Required<AdamOptions>>, options: AdamOptions = {}) {
    super(params, withAdamDefaults("Adam", options, 0));
  }

  protected checkOptions(options: Required<AdamOptions>): void {
    checkAdamOptions("Adam", options);
  }

  protected update(theta: Tensor, gradient: Tensor, options: Required<AdamOptions>): void {
    const { weightDecay, amsgrad, maximize } = options;
    const t = this.countStep(theta);
    const { beta1, rest1, beta2, rest2, rate, correction2, eps } = this.numbers(
      theta,
      options,
      () => adamNumbers(options, t),
    );
    const m = this.moment(theta, "exp_avg");
    const v = this.moment(theta, "exp_avg_sq");

    const uphill = maximize ? gradient.neg() : gradient;
    const g = weightDecay === 0 ? uphill : uphill.add(theta.mul(weightDecay));
    m.assign(m.mul(beta1).add(g.mul(rest1)));
    v.assign(v.mul(beta2).add(g.square().mul(rest2)));

    const largest = amsgrad ? this.moment(theta, "max_exp_avg_sq") : v;
    if (amsgrad) largest.assign(largest.maximum(v));
    const vHat = largest.div(correction2);
    theta.assign(theta.sub(m.mul(rate).div(vHat.sqrt().add(eps))));
  }
}

/** The numbers in Adam's formula, at step `t`. */
export function adamNumbers(
  options: Required<AdamOptions>,
  t: () => number,
): Readonly<
  Record<"beta1" | "rest1" | "beta2" | "rest2" | "rate" | "correction2" | "eps", () => number>
> {
  return {
    beta1: () => options.betas[0],
    rest1: () => 1 - options.betas[0],
    beta2: () => options.betas[1],
    rest2: () => 1 - options.betas[1],
    /** lr · m̂ is rate · m. */
    rate: () => options.lr / (1 - options.betas[0] ** t()),
    correction2: () => 1 - options.betas[1] ** t(),
    eps: () => options.eps,
  };
}

/** All options, with the defaults for what is missing. */
export function withAdamDefaults(
  op: string,
  options: AdamOptions,
  weightDecay: number,
): Required<AdamOptions> {
  return withDefaults(op, options, {
    lr: 1e-3,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weightDecay,
    amsgrad: false,
    maximize: false,
  });
}

/** @throws ArgumentError if an option is out of its range. */
export function checkAdamOptions(op: string, options: Required<AdamOptions>): void {
  checkNonNegative(op, "lr", options.lr);
  checkNonNegative(op, "eps", options.eps);
  checkNonNegative(op, "weightDecay", options.weightDecay);
  checkBetas(op, options.betas);
}
