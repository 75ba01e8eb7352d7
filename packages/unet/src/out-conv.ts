import { Conv2d } from "@gradloom/cnn";
import { Module } from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";

/**
 * Logits for each pixel, by a 1 × 1 convolution.
 *
 * - Shape: `x [batch, inChannels, height, width] -> [batch, outChannels, height, width]`
 */
export class OutConv extends Module {
  readonly conv: Conv2d;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, 1);
  }

  forward(x: Tensor): Tensor {
    return this.conv.forward(x);
  }
}
