import { live, type Tensor } from "@gradloom/tensor";
import { checkNonNegative } from "./check-option.ts";
import { Optimizer, type Parameters } from "./optimizer.ts";
import { withDefaults } from "./with-defaults.ts";

/** Options of {@link Adagrad}. */
export interface AdagradOptions {
  /** Default 1e-2. */
  lr?: number;
  /** How much the learning rate falls with each step: `lr / (1 + (t − 1) · lrDecay)`. Default 0. */
  lrDecay?: number;
  /** L2 penalty, added to the gradient. Default 0. */
  weightDecay?: number;
  /** What the sum of squares starts with. Default 0. */
  initialAccumulatorValue?: number;
  /** Added to the denominator. Default 1e-10. */
  eps?: number;
  /** Whether to climb instead of to descend. Default false. */
  maximize?: boolean;
}

/**
 * Divides the gradient by the root of the sum of all its squares so far.
 *
 * ```text
 * g ← g + weightDecay · θ
 * s ← s + g²
 * θ ← θ − lr / (1 + (t − 1) · lrDecay) · g / (√s + ε)
 * ```
 *
 * - Remembers `step` (t), `sum` (s)
 * - Paper: Duchi, Hazan & Singer 2011, https://jmlr.org/papers/v12/duchi11a.html
 *
 * @example
 * ```ts
 * const optimizer = new Adagrad(model.parameters(), { lr: 0.1 });
 * ```
 */
export class Adagrad extends Optimizer<Required<AdagradOptions>> {
  protected readonly momentNames: readonly string[] = ["sum"];

  constructor(params: Parameters<Required<AdagradOptions>>, options: AdagradOptions = {}) {
    super(
      params,
      withDefaults("Adagrad", options, {
        lr: 1e-2,
        lrDecay: 0,
        weightDecay: 0,
        initialAccumulatorValue: 0,
        eps: 1e-10,
        maximize: false,
      }),
    );
  }

  protected checkOptions(options: Required<AdagradOptions>): void {
    const names = ["lr", "lrDecay", "weightDecay", "initialAccumulatorValue", "eps"] as const;
    for (const name of names) checkNonNegative("Adagrad", name, options[name]);
  }

  protected update(theta: Tensor, gradient: Tensor, options: Required<AdagradOptions>): void {
    const { lrDecay, weightDecay, initialAccumulatorValue, eps, maximize } = options;
    const t = this.countStep(theta);
    const lr = live(() => options.lr / (1 + (t() - 1) * lrDecay), theta);
    const s = this.moment(theta, "sum", initialAccumulatorValue);

    const uphill = maximize ? gradient.neg() : gradient;
    const g = weightDecay === 0 ? uphill : uphill.add(theta.mul(weightDecay));
    s.assign(s.add(g.square()));
    theta.assign(theta.sub(g.mul(lr).div(s.sqrt().add(eps))));
  }
}
