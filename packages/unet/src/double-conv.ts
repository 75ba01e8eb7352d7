import { BatchNorm2d, Conv2d } from "@gradloom/cnn";
import { Module, ReLU, Sequential } from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";

/**
 * Twice Conv2d (3 × 3, padded) → BatchNorm2d → ReLU.
 *
 * - Shape: `x [batch, inChannels, height, width] -> [batch, outChannels, height, width]`, `midChannels` in between (default: `outChannels`)
 */
export class DoubleConv extends Module {
  readonly doubleConv: Sequential;

  constructor(inChannels: number, outChannels: number, midChannels: number = outChannels) {
    super();
    this.doubleConv = new Sequential(
      new Conv2d(inChannels, midChannels, 3, { padding: 1, bias: false }),
      new BatchNorm2d(midChannels),
      new ReLU(),
      new Conv2d(midChannels, outChannels, 3, { padding: 1, bias: false }),
      new BatchNorm2d(outChannels),
      new ReLU(),
    );
  }

  forward(x: Tensor): Tensor {
    return this.doubleConv.forward(x);
  }
}
