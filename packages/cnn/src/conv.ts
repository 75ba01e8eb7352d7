import { checkSize, init, Module, Parameter } from "@gradloom/layers";
import { ArgumentError, checkOptions, type Pair, type Tensor } from "@gradloom/tensor";
import { pairOf, showPair } from "./pair.ts";

/** Options of {@link Conv1d} and {@link Conv2d}. */
export interface ConvOptions {
  /** How far windows are apart. Default 1. */
  readonly stride?: Pair;
  /** Zeros on each side, or `"same"` (as many as keep the size) or `"valid"` (none). Default 0. */
  readonly padding?: Pair | "same" | "valid";
  /** How far the elements of a window are apart. Default 1. */
  readonly dilation?: Pair;
  /** Each group of output channels sees one group of input channels. Default 1. */
  readonly groups?: number;
  /** Whether there is a bias. Default true. */
  readonly bias?: boolean;
}

/** Options of {@link ConvTranspose2d}. */
export interface ConvTransposeOptions extends Omit<ConvOptions, "padding"> {
  /** What is cut off on each side of the result. Default 0. */
  readonly padding?: Pair;
  /** How much longer the result is at its end. Default 0. */
  readonly outputPadding?: Pair;
}

const convOptions = {
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
  bias: true,
} as const;

/** What all convolutions have. */
abstract class Convolution extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  /** By axis, as strides and dilations are. */
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | "same" | "valid";
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(
    axes: number,
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options: ConvOptions,
    isTransposed: boolean,
  ) {
    super();
    const name = this.constructor.name;
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
    for (const [what, size] of Object.entries({ inChannels, outChannels, groups })) {
      checkSize(name, what, size);
    }
    for (const [what, channels] of Object.entries({ inChannels, outChannels })) {
      if (channels % groups === 0) continue;
      throw new ArgumentError(
        `${name}: groups must divide ${what}, got ${groups} for ${channels}.`,
        { op: name },
      );
    }
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = pairOf(name, "kernelSize", kernelSize, axes, 1);
    this.stride = pairOf(name, "stride", stride, axes, 1);
    const isNamed = padding === "same" || padding === "valid";
    this.padding = isNamed ? padding : pairOf(name, "padding", padding, axes, 0);
    this.dilation = pairOf(name, "dilation", dilation, axes, 1);
    this.groups = groups;
    const [first, second] = isTransposed ? [inChannels, outChannels] : [outChannels, inChannels];
    const shape = [first, second / groups, ...this.kernelSize];
    const bound = 1 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b));
    this.weight = new Parameter(init.uniform(shape, { a: -bound, b: bound }));
    this.bias = bias
      ? new Parameter(init.uniform([outChannels], { a: -bound, b: bound }))
      : undefined;
  }

  override describe(): string {
    const { inChannels, outChannels, kernelSize, stride, padding, dilation, groups, bias } = this;
    const options = Object.entries({ stride, padding, dilation }).flatMap(([name, value]) => {
      const usual = name === "padding" ? "0" : "1";
      const shown = typeof value === "string" ? value : showPair(value);
      return shown === usual ? [] : [`${name}=${shown}`];
    });
    if (groups > 1) options.push(`groups=${groups}`);
    if (bias === undefined) options.push("bias=false");
    return [inChannels, outChannels, `kernelSize=${showPair(kernelSize)}`, ...options].join(", ");
  }
}

/**
 * Slides windows along a sequence, `y[o, t] = bias[o] + Σ_{c, k} weight[o, c, k] · x[c, stride·t + dilation·k − padding]`.
 *
 * - Shape: `x [batch, inChannels, length] -> [batch, outChannels, length']`,
 *   `length' = ⌊(length + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1`
 * - Parameters: `weight [outChannels, inChannels / groups, kernelSize]`, `bias [outChannels]`
 * - Init: both uniform on ±1/√(inChannels / groups · kernelSize)
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
 * @throws ShapeError if `x` does not fit. ArgumentError if groups do not divide the channels.
 */
export class Conv1d extends Convolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options: ConvOptions = {},
  ) {
    super(
      1,
      inChannels,
      outChannels,
      kernelSize,
      checkOptions("Conv1d", options, convOptions),
      false,
    );
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, stride, padding, dilation, groups } = this;
    return x.conv1d(weight, { bias, stride, padding, dilation, groups });
  }
}

/**
 * Slides windows over pictures, `y[o, i, j] = bias[o] + Σ_{c, k, l} weight[o, c, k, l] · x[c, i + k, j + l]` (with stride,
 * padding and dilation as in {@link Conv1d}).
 *
 * - Shape: `x [batch, inChannels, height, width] -> [batch, outChannels, height', width']`
 * - Parameters: `weight [outChannels, inChannels / groups, kernelHeight, kernelWidth]`, `bias [outChannels]`
 * - Init: both uniform on ±1/√(inChannels / groups · kernelHeight · kernelWidth)
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
 * @throws ShapeError if `x` does not fit. ArgumentError if groups do not divide the channels.
 *
 * @example
 * ```ts
 * const conv = new Conv2d(3, 64, 3, { padding: 1 });
 * conv.forward(randn([8, 3, 32, 32])); // [8, 64, 32, 32]
 * ```
 */
export class Conv2d extends Convolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options: ConvOptions = {},
  ) {
    super(
      2,
      inChannels,
      outChannels,
      kernelSize,
      checkOptions("Conv2d", options, convOptions),
      false,
    );
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, stride, padding, dilation, groups } = this;
    return x.conv2d(weight, { bias, stride, padding, dilation, groups });
  }
}

/**
 * The adjoint of {@link Conv2d}, which makes pictures larger: each element of `x` puts a window, weighted by itself, into
 * the result.
 *
 * - Shape: `x [batch, inChannels, height, width] -> [batch, outChannels, height', width']`,
 *   `height' = (height − 1)·stride − 2·padding + dilation·(kernelSize − 1) + outputPadding + 1`
 * - Parameters: `weight [inChannels, outChannels / groups, kernelHeight, kernelWidth]`, `bias [outChannels]`
 * - Init: both uniform on ±1/√(outChannels / groups · kernelHeight · kernelWidth), as in PyTorch
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
 * @throws ShapeError if `x` does not fit. ArgumentError if groups do not divide the channels.
 */
export class ConvTranspose2d extends Convolution {
  readonly outputPadding: readonly number[];

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options: ConvTransposeOptions = {},
  ) {
    super(
      2,
      inChannels,
      outChannels,
      kernelSize,
      checkOptions("ConvTranspose2d", options, { ...convOptions, outputPadding: true }),
      true,
    );
    this.outputPadding = pairOf(
      "ConvTranspose2d",
      "outputPadding",
      options.outputPadding ?? 0,
      2,
      0,
    );
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, stride, dilation, groups, outputPadding } = this;
    const padding = this.padding as readonly number[];
    return x.convTranspose2d(weight, { bias, stride, padding, outputPadding, dilation, groups });
  }
}
