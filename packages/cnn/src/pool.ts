import { Module } from "@gradloom/layers";
import { checkOptions, type Pair, type Tensor } from "@gradloom/tensor";
import { pairOf, showPair } from "./pair.ts";

/** Options of {@link MaxPool2d} and {@link AvgPool2d}. */
export interface PoolOptions {
  /** How far windows are apart. Default: as far as they are large, side by side. */
  readonly stride?: Pair;
  /** How many elements around belong to windows as well. At most half of a window. Default 0. */
  readonly padding?: Pair;
  /** Whether a window may go over the end, so that no element is left out. Default false. */
  readonly ceilMode?: boolean;
}

/** Options of {@link MaxPool2d}. */
export interface MaxPoolOptions extends PoolOptions {
  /** How far the elements of a window are apart. Default 1. */
  readonly dilation?: Pair;
}

/** Options of {@link AvgPool2d}. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros, or not at all. Default true. */
  readonly countIncludePad?: boolean;
}

abstract class Pool extends Module {
  /** By axis: height, width. */
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly ceilMode: boolean;

  constructor(kernelSize: Pair, options: PoolOptions) {
    super();
    const name = this.constructor.name;
    this.kernelSize = pairOf(name, "kernelSize", kernelSize, 2, 1);
    this.stride = pairOf(name, "stride", options.stride ?? this.kernelSize, 2, 1);
    this.padding = pairOf(name, "padding", options.padding ?? 0, 2, 0);
    this.ceilMode = options.ceilMode ?? false;
  }

  override describe(): string {
    const { kernelSize, stride, padding } = this;
    return `kernelSize=${showPair(kernelSize)}, stride=${showPair(stride)}, padding=${showPair(padding)}`;
  }
}

/**
 * The largest element of each window.
 *
 * - Shape: `x [..., height, width] -> [..., height', width']`, `height' = ⌊(height + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1`
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
 * @throws ShapeError if no window fits. ArgumentError if the padding is more than half of a window.
 */
export class MaxPool2d extends Pool {
  readonly dilation: readonly number[];

  constructor(kernelSize: Pair, options: MaxPoolOptions = {}) {
    super(
      kernelSize,
      checkOptions("MaxPool2d", options, {
        stride: true,
        padding: true,
        ceilMode: true,
        dilation: true,
      }),
    );
    this.dilation = pairOf("MaxPool2d", "dilation", options.dilation ?? 1, 2, 1);
  }

  forward(x: Tensor): Tensor {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    return x.maxPool2d(kernelSize, { stride, padding, dilation, ceilMode });
  }
}

/**
 * The mean of each window.
 *
 * - Shape: `x [..., height, width] -> [..., height', width']`, `height' = ⌊(height + 2·padding − kernelSize) / stride⌋ + 1`
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
 * @throws ShapeError if no window fits. ArgumentError if the padding is more than half of a window.
 */
export class AvgPool2d extends Pool {
  readonly countIncludePad: boolean;

  constructor(kernelSize: Pair, options: AvgPoolOptions = {}) {
    super(
      kernelSize,
      checkOptions("AvgPool2d", options, {
        stride: true,
        padding: true,
        ceilMode: true,
        countIncludePad: true,
      }),
    );
    this.countIncludePad = options.countIncludePad ?? true;
  }

  forward(x: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad } = this;
    return x.avgPool2d(kernelSize, { stride, padding, ceilMode, countIncludePad });
  }
}

/** A size for both axes, or one for each; `null`: as it is. */
export type OutputSize = number | readonly (number | null)[];

abstract class AdaptivePool extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    const sizes = Array.isArray(outputSize) ? outputSize : [outputSize, outputSize];
    const name = this.constructor.name;
    if (sizes.length !== 2) pairOf(name, "outputSize", sizes, 2, 1);
    if (outputSize === null) pairOf(name, "outputSize", outputSize, 2, 1);
    for (const size of sizes) if (size !== null) pairOf(name, "outputSize", size, 2, 1);
    this.outputSize = outputSize;
  }

  override describe(): string {
    const size = this.outputSize;
    return `outputSize=${typeof size === "number" ? size : `[${size.map(String).join(", ")}]`}`;
  }
}

/**
 * The means of as many windows as the result shall have, `[⌊i·height / outputSize⌋, ⌈(i + 1)·height / outputSize⌉)`: pictures of
 * any size become ones of the same.
 *
 * - Shape: `x [..., height, width] -> [..., outputSize, outputSize]`
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
 */
export class AdaptiveAvgPool2d extends AdaptivePool {
  forward(x: Tensor): Tensor {
    return x.adaptiveAvgPool2d(this.outputSize);
  }
}

/**
 * The largest elements of the windows of {@link AdaptiveAvgPool2d}.
 *
 * - Shape: `x [..., height, width] -> [..., outputSize, outputSize]`
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html
 */
export class AdaptiveMaxPool2d extends AdaptivePool {
  forward(x: Tensor): Tensor {
    return x.adaptiveMaxPool2d(this.outputSize);
  }
}
