import { ArgumentError, type Tensor } from "@gradloom/tensor";
import { Module } from "./module.ts";

/**
 * In training, sets each element to 0 with probability `p` and divides the others by `1 − p`; in
 * evaluation, `y = x`.
 *
 * - Units: `p` is a probability in [0, 1]. Default 0.5
 * - Paper: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
 * @throws ArgumentError if `p` is not a probability.
 */
export class Dropout extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) {
      const op = this.constructor.name;
      throw new ArgumentError(`${op}: p must be in [0, 1], got ${p}.`, { op });
    }
    this.p = p;
  }

  forward(x: Tensor): Tensor {
    return this.training && this.p > 0 ? x.dropout(this.p) : x;
  }

  override describe(): string {
    return `p=${this.p}`;
  }
}
