import type { Tensor } from "@gradloom/tensor";
import { Module } from "./module.ts";

/**
 * Makes the axes from `startDim` to `endDim` one. `new Flatten()` keeps the batch.
 *
 * - Shape: `x [batch, a, b, …] -> [batch, a · b · …]`
 */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }

  forward(x: Tensor): Tensor {
    return x.flatten(this.startDim, this.endDim);
  }

  override describe(): string {
    return `startDim=${this.startDim}, endDim=${this.endDim}`;
  }
}
