import { type LayerNorm, Module, ModuleList } from "@gradloom/layers";
import { checkOptions, type Tensor } from "@gradloom/tensor";
import type { EncoderLayer } from "./encoder-layer.ts";
import type { EncoderInputs } from "./layer-options.ts";

/** Options of `Encoder` and `Decoder`. */
export interface StackOptions {
  /** Behind the last layer. Default: none. */
  readonly norm?: LayerNorm | undefined;
}

/**
 * Encoder layers one after the other, then `norm` if there is one.
 *
 * - Shape: `x [batch, time, dModel] -> [batch, time, dModel]`; or without a batch
 * - Parameters: those of `layers` (`layers.0`, `layers.1`, …) and `norm`, named as in `torch.nn.TransformerEncoder`
 *
 * @example
 * ```ts
 * const layers = Array.from({ length: 6 }, () => new EncoderLayer(512, 8, 2048));
 * const encoder = new Encoder(layers, { norm: new LayerNorm(512) });
 * ```
 */
export class Encoder extends Module {
  readonly layers: ModuleList<EncoderLayer>;
  readonly norm: LayerNorm | undefined;

  constructor(layers: Iterable<EncoderLayer>, options: StackOptions = {}) {
    super();
    checkOptions("Encoder", options, { norm: true });
    this.layers = new ModuleList(layers);
    this.norm = options.norm;
  }

  forward(x: Tensor, options: EncoderInputs = {}): Tensor {
    const { onWeights } = options;
    let y = x;
    for (const [i, layer] of [...this.layers].entries()) {
      y = layer.forward(y, {
        ...options,
        onWeights: onWeights && ((weights, kind) => onWeights(weights, kind, i)),
      });
    }
    return this.norm?.forward(y) ?? y;
  }
}
