import { ArgumentError, live, onEachRun, type Tensor } from "@gradloom/tensor";
import { checkNonNegative } from "./check-option.ts";
import { Optimizer, type Parameters } from "./optimizer.ts";
import { withDefaults } from "./with-defaults.ts";

/** Options of {@link SGD}. */
export interface SGDOptions {
  /** Default 1e-3. */
  lr?: number;
  /** The share of the last direction that is kept. Default 0. */
  momentum?: number;
  /** The share of the gradient that is left out of the direction. Default 0. */
  dampening?: number;
  /** Whether to look ahead along the direction. Default false. */
  nesterov?: boolean;
  /** L2 penalty, added to the gradient. Default 0. */
  weightDecay?: number;
  /** Whether to climb instead of to descend. Default false. */
  maximize?: boolean;
}

/**
 * Stochastic gradient descent: `b ← μ b + (1 − τ) g`, `θ ← θ − lr · b`, with the momentum μ and the
 * dampening τ; the first `b` is `g`. Nesterov's takes `g + μ b` in place of `b`.
 *
 * - Remembers `momentum_buffer`, if there is momentum
 * - Paper: Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html
 */
export class SGD extends Optimizer<Required<SGDOptions>> {
  protected readonly momentNames: readonly string[] = ["momentum_buffer"];

  constructor(params: Parameters<Required<SGDOptions>>, options: SGDOptions = {}) {
    super(
      params,
      checkNesterov(
        withDefaults("SGD", options, {
          lr: 1e-3,
          momentum: 0,
          dampening: 0,
          nesterov: false,
          weightDecay: 0,
          maximize: false,
        }),
      ),
    );
  }

  protected checkOptions(options: Required<SGDOptions>): void {
    const { lr, momentum, dampening, weightDecay } = options;
    checkNonNegative("SGD", "lr", lr);
    checkNonNegative("SGD", "momentum", momentum);
    checkNonNegative("SGD", "weightDecay", weightDecay);
    if (!Number.isFinite(dampening)) {
      throw new ArgumentError(`SGD: dampening must be a finite number, got ${dampening}.`);
    }
  }

  protected update(theta: Tensor, gradient: Tensor, options: Required<SGDOptions>): void {
    const { momentum, dampening, nesterov, weightDecay, maximize } = options;
    const lr = live(() => options.lr, theta);
    const uphill = maximize ? gradient.neg() : gradient;
    const g = weightDecay === 0 ? uphill : uphill.add(theta.mul(weightDecay));
    if (momentum === 0) {
      theta.assign(theta.sub(g.mul(lr)));
      return;
    }
    const isNew = !this.hasMoment(theta, "momentum_buffer");
    const b = this.moment(theta, "momentum_buffer");
    let runs = 0;
    onEachRun(() => {
      runs += 1;
    });
    const share = live(() => (isNew && runs === 1 ? 1 : 1 - dampening), theta);
    const mu = live(() => options.momentum, theta);
    b.assign(b.mul(mu).add(g.mul(share)));
    const direction = nesterov ? g.add(b.mul(mu)) : b;
    theta.assign(theta.sub(direction.mul(lr)));
  }
}

/** Not asked of a group: one whose own momentum is 0 has nothing to look ahead along, as in PyTorch. */
function checkNesterov(options: Required<SGDOptions>): Required<SGDOptions> {
  const { momentum, dampening, nesterov } = options;
  if (!nesterov || (momentum !== 0 && dampening === 0)) return options;
  throw new ArgumentError(
    `SGD: nesterov must have momentum and no dampening, got momentum ${momentum}, dampening ${dampening}.`,
  );
}
