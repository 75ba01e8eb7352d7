import { Dropout, Flatten, type Layer, Linear, Module, ReLU, Sequential } from "@gradloom/layers";
import { ArgumentError, checkOptions, type Tensor } from "@gradloom/tensor";
import { BatchNorm2d } from "./batch-norm.ts";
import { Conv2d } from "./conv.ts";
import { AdaptiveAvgPool2d, MaxPool2d } from "./pool.ts";

/** Options of {@link CNN}. */
export interface CNNOptions {
  /** 1 for grey pictures, 3 for colours. */
  readonly inChannels: number;
  readonly numClasses: number;
  /** Of each convolution. Pictures are halved behind each, so they must be at least `2 ** channels.length` large. Default `[32, 64]`. */
  readonly channels?: readonly number[];
  /** Features between the two layers of the classifier. Default 128. */
  readonly hidden?: number;
  /** The probability with which such a feature is dropped in training. Default 0.5. */
  readonly dropout?: number;
  /** Height and width of what the classifier sees of each channel. Default 1: the mean of the picture. */
  readonly poolSize?: number;
}

/**
 * A classifier of pictures of any size: features, for each of `channels` Conv2d (3 × 3) → BatchNorm2d → ReLU → MaxPool2d, then
 * AdaptiveAvgPool2d; and a classifier Flatten → Linear → ReLU → Dropout → Linear.
 *
 * - Shape: `x [batch, inChannels, height, width] -> [batch, numClasses]`, logits
 * - Parameters: those of `features` and `classifier`
 * @throws ArgumentError if there are no channels. ShapeError if a picture is too small to be halved that often.
 *
 * @example
 * ```ts
 * const model = new CNN({ inChannels: 1, numClasses: 10, channels: [16, 32], poolSize: 7 });
 * model.forward(randn([8, 1, 28, 28])); // [8, 10]
 * ```
 */
export class CNN extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(options: CNNOptions) {
    super();
    checkOptions("CNN", options, {
      inChannels: true,
      numClasses: true,
      channels: true,
      hidden: true,
      dropout: true,
      poolSize: true,
    });
    const { inChannels, numClasses, channels = [32, 64], hidden = 128 } = options;
    const { dropout = 0.5, poolSize = 1 } = options;
    if (!Array.isArray(channels) || channels.length === 0) {
      const got = Array.isArray(channels) ? "[]" : String(channels);
      throw new ArgumentError(`CNN: channels must list at least one convolution's, got ${got}.`, {
        op: "CNN",
      });
    }
    const layers: Layer[] = [];
    channels.forEach((count, i) => {
      layers.push(
        new Conv2d(i === 0 ? inChannels : channels[i - 1], count, 3, { padding: 1 }),
        new BatchNorm2d(count),
        new ReLU(),
        new MaxPool2d(2),
      );
    });
    this.features = new Sequential(...layers, new AdaptiveAvgPool2d(poolSize));
    this.classifier = new Sequential(
      new Flatten(),
      new Linear(channels[channels.length - 1] * poolSize ** 2, hidden),
      new ReLU(),
      new Dropout(dropout),
      new Linear(hidden, numClasses),
    );
  }

  forward(x: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(x));
  }
}
