import { checkSize, Module } from "@gradloom/layers";
import { checkOptions, ShapeError, type Tensor } from "@gradloom/tensor";
import { DoubleConv } from "./double-conv.ts";
import { Down } from "./down.ts";
import { OutConv } from "./out-conv.ts";
import { Up } from "./up.ts";

/** Options of {@link UNet}. */
export interface UNetOptions {
  /** 1 for grey pictures, 3 for colours. */
  readonly inChannels: number;
  /** How many labels a pixel may have. */
  readonly numClasses: number;
  /** Channels of the first level; each further one has twice as many. Default 64. */
  readonly baseChannels?: number;
  /** How often pictures are halved. Default 4. */
  readonly depth?: number;
  /** Enlarges by interpolation instead of transposed convolutions. Default false. */
  readonly bilinear?: boolean;
}

/**
 * Labels each pixel of a picture: an encoder that halves the picture `depth` times, and a decoder that enlarges it again and joins
 * what the encoder had seen at each size. Names and shapes are those of the well-known `Pytorch-UNet`, whose weights load unchanged.
 *
 * - Shape: `x [batch, inChannels, height, width] -> [batch, numClasses, height, width]`, logits; any size of at least `2 ** depth`
 * - Parameters: those of `inc`, `down1` …, `up1` …, `outc`
 * - Paper: Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597
 * @throws ArgumentError if `depth` is not a positive integer. ShapeError if a picture is too small.
 *
 * @example
 * ```ts
 * const model = new UNet({ inChannels: 1, numClasses: 3, baseChannels: 16, depth: 3 });
 * const labels = model.forward(randn([2, 1, 65, 90])).argmax(1); // [2, 65, 90]
 * ```
 */
export class UNet extends Module {
  readonly inc: DoubleConv;
  readonly [down: `down${number}`]: Down;
  readonly [up: `up${number}`]: Up;
  /** Declared only, so that it comes behind the others in the order of keys. */
  declare readonly outc: OutConv;
  readonly inChannels: number;
  readonly depth: number;

  constructor(options: UNetOptions) {
    super();
    checkOptions("UNet", options, {
      inChannels: true,
      numClasses: true,
      baseChannels: true,
      depth: true,
      bilinear: true,
    });
    const { inChannels, numClasses, baseChannels = 64, depth = 4, bilinear = false } = options;
    for (const [name, size] of Object.entries({ inChannels, numClasses, baseChannels, depth })) {
      checkSize("UNet", name, size);
    }
    this.inChannels = inChannels;
    this.depth = depth;
    // Interpolation keeps the channels, so the deepest level has half of what a transposed convolution would halve.
    const factor = bilinear ? 2 : 1;
    const channels = (level: number) => baseChannels * 2 ** level;
    this.inc = new DoubleConv(inChannels, baseChannels);
    for (let level = 1; level <= depth; level++) {
      const deepest = level === depth ? factor : 1;
      this.#set(`down${level}`, new Down(channels(level - 1), channels(level) / deepest));
    }
    for (let i = 1; i <= depth; i++) {
      const level = depth - i;
      const out = channels(level) / (level === 0 ? 1 : factor);
      this.#set(`up${i}`, new Up(channels(level + 1), out, { bilinear }));
    }
    this.outc = new OutConv(baseChannels, numClasses);
  }

  #set(name: string, part: Down | Up): void {
    Reflect.set(this, name, part);
  }

  forward(x: Tensor): Tensor {
    const { depth } = this;
    const smallest = 2 ** depth;
    if (
      x.ndim !== 4 ||
      x.shape[1] !== this.inChannels ||
      x.shape[2] < smallest ||
      x.shape[3] < smallest
    ) {
      throw new ShapeError(
        `UNet: x must be [batch, ${this.inChannels}, height, width] of at least ${smallest} × ${smallest}, got [${x.shape.join(", ")}].`,
        { op: "UNet", shapes: [x.shape] },
      );
    }
    const levels = [this.inc.forward(x)];
    for (let level = 1; level <= depth; level++) {
      levels.push(this[`down${level}`].forward(levels[level - 1]));
    }
    let y = levels[depth];
    for (let i = 1; i <= depth; i++) y = this[`up${i}`].forward(y, levels[depth - i]);
    return this.outc.forward(y);
  }
}
