import { Module, Sequential } from "@gradloom/layers";
import { checkOptions, type Tensor } from "@gradloom/tensor";
import { BatchNorm2d } from "./batch-norm.ts";
import { Conv2d } from "./conv.ts";

/** Options of {@link BasicBlock}. */
export interface BasicBlockOptions {
  /** Of the first convolution: 2 halves the picture. Default 1. */
  readonly stride?: number;
}

/**
 * Two convolutions with a way around them, `y = relu(bn2(conv2(relu(bn1(conv1(x))))) + x)`; where sizes change, `x` goes through
 * a 1 × 1 convolution and batch norm, `downsample`.
 *
 * - Shape: `x [batch, inChannels, height, width] -> [batch, outChannels, height / stride, width / stride]`
 * - Parameters: those of `conv1`, `bn1`, `conv2`, `bn2`, and `downsample` if there is one
 * - Paper: He et al. 2015, https://arxiv.org/abs/1512.03385
 */
export class BasicBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | undefined;

  constructor(inChannels: number, outChannels: number, options: BasicBlockOptions = {}) {
    super();
    checkOptions("BasicBlock", options, { stride: true });
    const { stride = 1 } = options;
    this.conv1 = new Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(outChannels);
    this.conv2 = new Conv2d(outChannels, outChannels, 3, { padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(outChannels);
    this.downsample =
      stride === 1 && inChannels === outChannels
        ? undefined
        : new Sequential(
            new Conv2d(inChannels, outChannels, 1, { stride, bias: false }),
            new BatchNorm2d(outChannels),
          );
  }

  forward(x: Tensor): Tensor {
    const inner = this.bn1.forward(this.conv1.forward(x)).relu();
    const around = this.downsample?.forward(x) ?? x;
    return this.bn2.forward(this.conv2.forward(inner)).add(around).relu();
  }
}
