import { init, Linear, Module, Sequential } from "@gradloom/layers";
import { ArgumentError, checkOptions, type Tensor } from "@gradloom/tensor";
import { BasicBlock } from "./basic-block.ts";
import { BatchNorm2d } from "./batch-norm.ts";
import { Conv2d } from "./conv.ts";

/** Options of {@link ResNet}. */
export interface ResNetOptions {
  /** Default 3. */
  readonly inChannels?: number;
  readonly numClasses: number;
  /** Blocks of each of the four stages. Default `[2, 2, 2, 2]`, 18 layers; `[3, 4, 6, 3]` has 34. */
  readonly blocks?: readonly [number, number, number, number];
  /** Channels of the first stage; each further one has twice as many. Default 64. */
  readonly baseChannels?: number;
  /**
   * `'large'`: 7 × 7 with stride 2, then a pool, as for pictures of 224 × 224. `'small'`: 3 × 3, as for 32 × 32. Default `'large'`.
   */
  readonly stem?: "large" | "small";
}

/**
 * A residual network with basic blocks, names and shapes as in torchvision's `resnet18` and `resnet34`: its weights load
 * unchanged.
 *
 * - Shape: `x [batch, inChannels, height, width] -> [batch, numClasses]`, logits
 * - Parameters: those of `conv1`, `bn1`, `layer1` … `layer4`, `fc`
 * - Init: convolutions normal with variance 2 / fan-out (He et al.), others as their layers
 * - Paper: He et al. 2015, https://arxiv.org/abs/1512.03385
 */
export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly fc: Linear;
  readonly stem: "large" | "small";

  constructor(options: ResNetOptions) {
    super();
    checkOptions("ResNet", options, {
      inChannels: true,
      numClasses: true,
      blocks: true,
      baseChannels: true,
      stem: true,
    });
    const { inChannels = 3, numClasses, blocks = [2, 2, 2, 2], baseChannels = 64 } = options;
    this.stem = options.stem ?? "large";
    if (blocks?.length !== 4) {
      throw new ArgumentError(
        `ResNet: blocks must be those of four stages, got ${blocks?.length ?? blocks}.`,
        { op: "ResNet" },
      );
    }
    if (this.stem !== "large" && this.stem !== "small") {
      throw new ArgumentError(`ResNet: stem must be "large" or "small", got ${this.stem}.`, {
        op: "ResNet",
      });
    }
    const first =
      this.stem === "large"
        ? { kernel: 7, stride: 2, padding: 3 }
        : { kernel: 3, stride: 1, padding: 1 };
    const { kernel, stride, padding } = first;
    this.conv1 = new Conv2d(inChannels, baseChannels, kernel, { stride, padding, bias: false });
    this.bn1 = new BatchNorm2d(baseChannels);
    const stage = (i: number) => {
      const channels = baseChannels * 2 ** i;
      const before = i === 0 ? channels : channels / 2;
      return new Sequential(
        ...Array.from({ length: blocks[i] }, (_, block) =>
          block === 0
            ? new BasicBlock(before, channels, { stride: i === 0 ? 1 : 2 })
            : new BasicBlock(channels, channels),
        ),
      );
    };
    this.layer1 = stage(0);
    this.layer2 = stage(1);
    this.layer3 = stage(2);
    this.layer4 = stage(3);
    this.fc = new Linear(baseChannels * 8, numClasses);
    for (const module of this.modules()) if (module instanceof Conv2d) heNormal(module);
  }

  forward(x: Tensor): Tensor {
    const start = this.bn1.forward(this.conv1.forward(x)).relu();
    const pooled = this.stem === "large" ? start.maxPool2d(3, { stride: 2, padding: 1 }) : start;
    const stages = [this.layer1, this.layer2, this.layer3, this.layer4];
    const features = stages.reduce((y, layer) => layer.forward(y), pooled);
    return this.fc.forward(features.adaptiveAvgPool2d(1).flatten(1));
  }
}

/** `std = √(2 / (outChannels · kernel area))`. */
function heNormal({ weight, outChannels, kernelSize: [height, width] }: Conv2d): void {
  init.normal(weight, { std: Math.sqrt(2 / (outChannels * height * width)) });
}
