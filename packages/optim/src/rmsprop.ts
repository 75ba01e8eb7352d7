import { live, type Tensor } from "@gradloom/tensor";
import { checkNonNegative } from "./check-option.ts";
import { Optimizer, type Parameters } from "./optimizer.ts";
import { withDefaults } from "./with-defaults.ts";

/** Options of {@link RMSprop}. */
export interface RMSpropOptions {
  /** Default 1e-2. */
  lr?: number;
  /** How slowly the average of the squared gradient forgets. Default 0.99. */
  alpha?: number;
  /** Added to the denominator. Default 1e-8. */
  eps?: number;
  /** L2 penalty, added to the gradient. Default 0. */
  weightDecay?: number;
  /** The share of the last direction that is kept. Default 0. */
  momentum?: number;
  /** Whether to divide by the deviation of the gradient instead of by its size. Default false. */
  centered?: boolean;
  /** Whether to climb instead of to descend. Default false. */
  maximize?: boolean;
}

/**
 * Divides the gradient by the root of the average of its square.
 *
 * ```text
 * g ← g + weightDecay · θ
 * v ← α v + (1 − α) g²
 * a ← α a + (1 − α) g          if centered, a² is taken from v below
 * b ← μ b + g / (√v + ε)       with the momentum μ
 * θ ← θ − lr · b
 * ```
 *
 * - Remembers `step`, `square_avg` (v), `grad_avg` (a), `momentum_buffer` (b)
 * - Source: Tieleman & Hinton 2012, lecture 6.5,
 *   https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf; centered: Graves 2013,
 *   https://arxiv.org/abs/1308.0850
 *
 * @example
 * ```ts
 * const optimizer = new RMSprop(model.parameters(), { lr: 1e-3, momentum: 0.9 });
 * ```
 */
export class RMSprop extends Optimizer<Required<RMSpropOptions>> {
  protected readonly momentNames: readonly string[] = ["square_avg", "grad_avg", "momentum_buffer"];

  constructor(params: Parameters<Required<RMSpropOptions>>, options: RMSpropOptions = {}) {
    super(
      params,
      withDefaults("RMSprop", options, {
        lr: 1e-2,
        alpha: 0.99,
        eps: 1e-8,
        weightDecay: 0,
        momentum: 0,
        centered: false,
        maximize: false,
      }),
    );
  }

  protected checkOptions(options: Required<RMSpropOptions>): void {
    for (const name of ["lr", "alpha", "eps", "weightDecay", "momentum"] as const) {
      checkNonNegative("RMSprop", name, options[name]);
    }
  }

  protected update(theta: Tensor, gradient: Tensor, options: Required<RMSpropOptions>): void {
    const { alpha, eps, weightDecay, momentum, centered, maximize } = options;
    this.countStep(theta);
    const lr = live(() => options.lr, theta);
    const v = this.moment(theta, "square_avg");

    const uphill = maximize ? gradient.neg() : gradient;
    const g = weightDecay === 0 ? uphill : uphill.add(theta.mul(weightDecay));
    v.assign(v.mul(alpha).add(g.square().mul(1 - alpha)));

    let spread: Tensor = v;
    if (centered) {
      const a = this.moment(theta, "grad_avg");
      a.assign(a.mul(alpha).add(g.mul(1 - alpha)));
      spread = v.sub(a.square());
    }
    let direction = g.div(spread.sqrt().add(eps));
    if (momentum > 0) {
      const b = this.moment(theta, "momentum_buffer");
      b.assign(b.mul(live(() => options.momentum, theta)).add(direction));
      direction = b;
    }
    theta.assign(theta.sub(direction.mul(lr)));
  }
}
