import { MaxPool2d } from "@gradloom/cnn";
import { Module, Sequential } from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";
import { DoubleConv } from "./double-conv.ts";

/**
 * One level down: MaxPool2d → DoubleConv.
 *
 * - Shape: `x [batch, inChannels, height, width] -> [batch, outChannels, ⌊height / 2⌋, ⌊width / 2⌋]`
 */
export class Down extends Module {
  readonly maxpoolConv: Sequential;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.maxpoolConv = new Sequential(new MaxPool2d(2), new DoubleConv(inChannels, outChannels));
  }

  forward(x: Tensor): Tensor {
    return this.maxpoolConv.forward(x);
  }
}
