import { type LayerNorm, Module, ModuleList } from "@gradloom/layers";
import { checkOptions, type Tensor } from "@gradloom/tensor";
import type { DecoderCache } from "./decoder-cache.ts";
import type { DecoderLayer } from "./decoder-layer.ts";
import type { StackOptions } from "./encoder.ts";
import type { DecoderInputs } from "./layer-options.ts";

/**
 * Decoder layers one after the other, then `norm` if there is one.
 *
 * - Shape: `x [batch, time, dModel]`, `memory [batch, sourceTime, dModel] -> [batch, time, dModel]`; or without a batch
 * - Parameters: those of `layers` (`layers.0`, `layers.1`, …) and `norm`, named as in `torch.nn.TransformerDecoder`
 */
export class Decoder extends Module {
  readonly layers: ModuleList<DecoderLayer>;
  readonly norm: LayerNorm | undefined;

  constructor(layers: Iterable<DecoderLayer>, options: StackOptions = {}) {
    super();
    checkOptions("Decoder", options, { norm: true });
    this.layers = new ModuleList(layers);
    this.norm = options.norm;
  }

  forward(x: Tensor, memory: Tensor, options: DecoderInputs = {}): Tensor {
    const { onWeights } = options;
    let y = x;
    for (const [i, layer] of [...this.layers].entries()) {
      y = layer.forward(y, memory, {
        ...options,
        onWeights: onWeights && ((weights, kind) => onWeights(weights, kind, i)),
      });
    }
    return this.norm?.forward(y) ?? y;
  }

  /** {@link forward} of the positions from `start` on, where a cache has read the earlier ones and the memory. */
  continue(x: Tensor, cache: DecoderCache, start: number | Tensor): Tensor {
    const inputs = cache.inputs(start, x.shape[1]);
    let y = x;
    for (const [i, layer] of [...this.layers].entries()) {
      y = layer.continue(y, cache.layers[i], inputs);
    }
    return this.norm?.forward(y) ?? y;
  }
}
