import { ConvTranspose2d, Upsample } from "@gradloom/cnn";
import { Module } from "@gradloom/layers";
import { cat, checkOptions, type Tensor } from "@gradloom/tensor";
import { DoubleConv } from "./double-conv.ts";

/** Options of {@link Up}. */
export interface UpOptions {
  /** Interpolates instead of learning how to enlarge. Default false. */
  readonly bilinear?: boolean;
}

/**
 * One level up: twice as large, joined with what the encoder had at this level, DoubleConv. Where that is larger, as for odd
 * sizes, zeros are put around.
 *
 * - Shape: `x [batch, inChannels, height, width]`, `skip [batch, …, height', width'] -> [batch, outChannels, height', width']`;
 *   the channels of both together are `inChannels`, after `x` was enlarged
 */
export class Up extends Module {
  readonly up: ConvTranspose2d | Upsample;
  readonly conv: DoubleConv;

  constructor(inChannels: number, outChannels: number, options: UpOptions = {}) {
    super();
    checkOptions("Up", options, { bilinear: true });
    const { bilinear = false } = options;
    this.up = bilinear
      ? new Upsample({ scaleFactor: 2, mode: "bilinear", alignCorners: true })
      : new ConvTranspose2d(inChannels, inChannels / 2, 2, { stride: 2 });
    this.conv = bilinear
      ? new DoubleConv(inChannels, outChannels, inChannels / 2)
      : new DoubleConv(inChannels, outChannels);
  }

  forward(x: Tensor, skip: Tensor): Tensor {
    const larger = this.up.forward(x);
    const missing = [3, 2].map((axis) => skip.shape[axis] - larger.shape[axis]);
    const around = missing.flatMap((count) => [
      Math.floor(count / 2),
      count - Math.floor(count / 2),
    ]);
    return this.conv.forward(cat([skip, larger.pad(around)], 1));
  }
}
