import { Module } from "@gradloom/layers";
import { checkOptions, type Pair, type Tensor } from "@gradloom/tensor";

/** Options of {@link Upsample}: a size or a factor. */
export interface UpsampleOptions {
  /** The new height and width. */
  readonly size?: Pair;
  /** How much larger. */
  readonly scaleFactor?: Pair;
  /** Default `'nearest'`. */
  readonly mode?: "nearest" | "bilinear";
  /** For `'bilinear'`: whether the corners stay where they are. Default false. */
  readonly alignCorners?: boolean;
}

/**
 * Pictures made larger (or smaller), see `interpolate`.
 *
 * - Shape: `x [batch, channels, height, width] -> [batch, channels, height', width']`
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html
 */
export class Upsample extends Module {
  readonly options: UpsampleOptions;

  constructor(options: UpsampleOptions) {
    super();
    checkOptions("Upsample", options, {
      size: true,
      scaleFactor: true,
      mode: true,
      alignCorners: true,
    });
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return x.interpolate(this.options);
  }

  override describe(): string {
    return Object.entries(this.options)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(", ");
  }
}
