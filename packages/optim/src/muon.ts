import { ArgumentError, live, type Tensor } from "@gradloom/tensor";
import { checkBetas, checkNonNegative } from "./check-option.ts";
import { Optimizer, type Parameters } from "./optimizer.ts";
import { withDefaults } from "./with-defaults.ts";

/** Options of {@link Muon}. */
export interface MuonOptions {
  /** Default 1e-3. */
  lr?: number;
  /** Decoupled: weights shrink by `lr · weightDecay`. Default 0.1. */
  weightDecay?: number;
  /** How slowly the average of the gradient forgets. Default 0.95. */
  momentum?: number;
  /** Whether to look ahead along the average. Default true. */
  nesterov?: boolean;
  /** `a`, `b` and `c` of the iteration. Default `[3.4445, -4.775, 2.0315]`. */
  nsCoefficients?: readonly [number, number, number];
  /** How many iterations. Default 5. */
  nsSteps?: number;
  /** The least norm to divide by. Default 1e-7. */
  eps?: number;
  /**
   * How `lr` depends on a matrix of `m` rows and `n` columns: `"original"` is `√max(1, m/n)` times,
   * `"match_rms_adamw"` is `0.2 · √max(m, n)` times, so that an `lr` found for AdamW fits. Default `"original"`.
   */
  adjustLrFn?: MuonRate;
  /** Whether matrices of the group are orthogonalized. With `false` all goes by AdamW. Default true. */
  useMuon?: boolean;
  /** The betas of what goes by AdamW. Default `[0.9, 0.95]`. */
  betas?: readonly [number, number];
  /** Whether to climb instead of to descend. Default false. */
  maximize?: boolean;
}

/** How the learning rate of {@link Muon} depends on a matrix's sizes. */
export type MuonRate = "original" | "match_rms_adamw";

/** What AdamW adds to the denominator, for parameters that are no matrices. */
const adamEps = 1e-8;

/**
 * Momentum, orthogonalized by Newton-Schulz: the step of a matrix has singular values near 1, whatever those of
 * its gradient are.
 *
 * ```text
 * b ← μ b + (1 − μ) g          u = b, or with nesterov (1 − μ) g + μ b
 * X ← u / ‖u‖                  transposed, if there are more rows than columns
 * A = X Xᵀ,  X ← a X + (b A + c A²) X      nsSteps times
 * θ ← (1 − lr · weightDecay) θ − lr · √max(1, m/n) · X
 * ```
 *
 * - A parameter of more than two axes, such as a convolution's, is the matrix `[shape[0], the rest]`.
 * - **What is no matrix** (fewer than two axes: biases, norms), and all of a group with `useMuon: false` (embeddings and
 *   the output layer do better so), goes by AdamW with the group's `lr` and `weightDecay`, `betas` and ε = 1e-8.
 * - Differs from PyTorch: that takes matrices only, and iterates in bfloat16, here it is the parameter's dtype
 * - Remembers `momentum_buffer` (b); by AdamW `step`, `exp_avg`, `exp_avg_sq`
 * - Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/; `match_rms_adamw`: Liu et al. 2025,
 *   https://arxiv.org/abs/2502.16982
 *
 * @example
 * ```ts
 * const optimizer = new Muon([{ params: hidden }, { params: embedding, useMuon: false, lr: 3e-4 }], { lr: 0.02 });
 * ```
 */
export class Muon extends Optimizer<Required<MuonOptions>> {
  protected readonly momentNames: readonly string[] = ["momentum_buffer", "exp_avg", "exp_avg_sq"];

  constructor(params: Parameters<Required<MuonOptions>>, options: MuonOptions = {}) {
    super(
      params,
      withDefaults("Muon", options, {
        lr: 1e-3,
        weightDecay: 0.1,
        momentum: 0.95,
        nesterov: true,
        nsCoefficients: [3.4445, -4.775, 2.0315],
        nsSteps: 5,
        eps: 1e-7,
        adjustLrFn: "original",
        useMuon: true,
        betas: [0.9, 0.95],
        maximize: false,
      }),
    );
  }

  protected checkOptions(options: Required<MuonOptions>): void {
    const op = "Muon";
    for (const name of ["lr", "weightDecay", "momentum", "eps"] as const) {
      checkNonNegative(op, name, options[name]);
    }
    checkBetas(op, options.betas);
    const { nsCoefficients, nsSteps, adjustLrFn } = options;
    if (nsCoefficients.length !== 3 || !nsCoefficients.every(Number.isFinite)) {
      throw new ArgumentError(
        `${op}: nsCoefficients must be three finite numbers, got [${nsCoefficients.join(", ")}].`,
        { op },
      );
    }
    if (!Number.isInteger(nsSteps) || nsSteps < 0 || nsSteps >= 100) {
      throw new ArgumentError(`${op}: nsSteps must be an integer in [0, 100), got ${nsSteps}.`, {
        op,
      });
    }
    // PyTorch's state dicts hold null for the default.
    if (!["original", "match_rms_adamw", null].includes(adjustLrFn)) {
      throw new ArgumentError(
        `${op}: adjustLrFn must be "original" or "match_rms_adamw", got ${adjustLrFn}.`,
        { op },
      );
    }
  }

  protected update(theta: Tensor, gradient: Tensor, options: Required<MuonOptions>): void {
    const g = options.maximize ? gradient.neg() : gradient;
    const step =
      options.useMuon && theta.ndim >= 2
        ? this.#orthogonal(theta, g, options)
        : this.#adaptive(theta, g, options);
    const decayed = theta.mul(live(() => 1 - options.lr * options.weightDecay, theta));
    theta.assign(decayed.sub(step));
  }

  #orthogonal(theta: Tensor, g: Tensor, options: Required<MuonOptions>): Tensor {
    const mu = live(() => options.momentum, theta);
    const rest = live(() => 1 - options.momentum, theta);
    const b = this.moment(theta, "momentum_buffer");
    b.assign(b.mul(mu).add(g.mul(rest)));
    const u = options.nesterov ? g.mul(rest).add(b.mul(mu)) : b;

    const rows = theta.shape[0];
    const columns = theta.numel / Math.max(rows, 1);
    const x = newtonSchulz(u.reshape([rows, columns]), options);
    const ratio =
      options.adjustLrFn === "match_rms_adamw"
        ? 0.2 * Math.sqrt(Math.max(rows, columns))
        : Math.sqrt(Math.max(1, rows / columns));
    return x.mul(live(() => options.lr * ratio, theta)).reshape(theta.shape);
  }

  #adaptive(theta: Tensor, g: Tensor, options: Required<MuonOptions>): Tensor {
    const t = this.countStep(theta);
    const of = (number: () => number) => live(number, theta);
    const m = this.moment(theta, "exp_avg");
    const v = this.moment(theta, "exp_avg_sq");
    m.assign(m.mul(of(() => options.betas[0])).add(g.mul(of(() => 1 - options.betas[0]))));
    v.assign(v.mul(of(() => options.betas[1])).add(g.square().mul(of(() => 1 - options.betas[1]))));
    const mHat = m.div(of(() => 1 - options.betas[0] ** t()));
    const vHat = v.div(of(() => 1 - options.betas[1] ** t()));
    return mHat.mul(of(() => options.lr)).div(vHat.sqrt().add(adamEps));
  }
}

/** Brings the singular values of a matrix near 1 and leaves its singular vectors: `U S Vᵀ -> U Vᵀ`, about. */
function newtonSchulz(u: Tensor, options: Required<MuonOptions>): Tensor {
  const [a, b, c] = options.nsCoefficients;
  const [rows, columns] = u.shape;
  const isTall = rows > columns;
  let x = isTall ? u.t() : u; // [min, max], so that A is as small as can be
  x = x.div(x.square().sum().sqrt().clamp(options.eps));
  for (let i = 0; i < options.nsSteps; i++) {
    const gram = x.matmul(x.t()); // [min, min]
    const polynomial = gram.mul(b).add(gram.matmul(gram).mul(c));
    x = x.mul(a).add(polynomial.matmul(x));
  }
  return isTall ? x.t() : x;
}
