import {
  type Activation,
  activationFunction,
  Dropout,
  type Layer,
  LayerNorm,
  Linear,
  Module,
} from "@gradloom/layers";
import { checkOptions, type Tensor } from "@gradloom/tensor";
import type { CachedInputs, LayerCache } from "./decoder-cache.ts";
import {
  type DecoderInputs,
  decoderInputs,
  layerOptions,
  type TransformerLayerOptions,
} from "./layer-options.ts";
import { type AttendInputs, MultiHeadAttention } from "./multi-head-attention.ts";
import { positionWise, residual } from "./sublayers.ts";

/**
 * A layer of the decoder: each position looks at those before it, then at the memory (what the encoder made of the source),
 * then is worked on by itself.
 *
 *     x ← norm1(x + selfAttn(x, x, x))
 *     x ← norm2(x + multiheadAttn(x, memory, memory))
 *     x ← norm3(x + linear2(activation(linear1(x))))
 *
 * or, with `normFirst`, `x ← x + selfAttn(norm1(x))` and so on.
 *
 * - Shape: `x [batch, time, dModel]`, `memory [batch, sourceTime, dModel] -> [batch, time, dModel]`; or without a batch
 * - Parameters: those of `selfAttn`, `multiheadAttn`, `linear1 [dModel → dFf]`, `linear2 [dFf → dModel]`, `norm1`, `norm2`,
 *   `norm3`, named as in `torch.nn.TransformerDecoderLayer`
 * - Differs from PyTorch: `isCausal` is true unless it is set
 * - Paper: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.1
 * @throws ArgumentError if a size or an option is none. ShapeError if shapes do not fit.
 */
export class DecoderLayer extends Module {
  readonly dModel: number;
  readonly numHeads: number;
  readonly normFirst: boolean;
  readonly activation: Activation;
  readonly selfAttn: MultiHeadAttention;
  readonly multiheadAttn: MultiHeadAttention;
  readonly linear1: Linear | undefined;
  readonly linear2: Linear | undefined;
  readonly feedForward: Layer | undefined;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;
  readonly dropout: Dropout;

  constructor(
    dModel: number,
    numHeads: number,
    dFf: number,
    options: TransformerLayerOptions = {},
  ) {
    super();
    checkOptions("DecoderLayer", options, layerOptions);
    const { dropout = 0.1, activation = "relu", normFirst = false, feedForward } = options;
    const eps = options.layerNormEps ?? 1e-5;
    activationFunction("DecoderLayer", activation);
    this.dModel = dModel;
    this.numHeads = numHeads;
    this.normFirst = normFirst;
    this.activation = activation;
    this.selfAttn = new MultiHeadAttention(dModel, numHeads, { dropout });
    this.multiheadAttn = new MultiHeadAttention(dModel, numHeads, { dropout });
    this.linear1 = feedForward ? undefined : new Linear(dModel, dFf);
    this.linear2 = feedForward ? undefined : new Linear(dFf, dModel);
    this.feedForward = typeof feedForward === "function" ? feedForward(dModel) : feedForward;
    this.norm1 = new LayerNorm(dModel, { eps });
    this.norm2 = new LayerNorm(dModel, { eps });
    this.norm3 = new LayerNorm(dModel, { eps });
    this.dropout = new Dropout(dropout);
  }

  forward(x: Tensor, memory: Tensor, options: DecoderInputs = {}): Tensor {
    checkOptions("DecoderLayer", options, decoderInputs);
    const { mask, isCausal = true, keyPaddingMask } = options;
    const own = { mask, isCausal, keyPaddingMask, onWeights: observer(options, "self") };
    const cross = {
      mask: options.memoryMask,
      keyPaddingMask: options.memoryKeyPaddingMask,
      onWeights: observer(options, "memory"),
    };
    return this.#sublayers(
      x,
      (x) => this.selfAttn.forward(x, x, x, own),
      (x) => this.multiheadAttn.forward(x, memory, memory, cross),
    );
  }

  /** {@link forward} of the next positions, where a cache has read the earlier ones and the memory. */
  continue(x: Tensor, cache: LayerCache, options: CachedInputs): Tensor {
    const { start, mask, keyPaddingMask } = options;
    const { selfAttn, multiheadAttn } = this;
    return this.#sublayers(
      x,
      (x) => selfAttn.attend(x, cache.append(selfAttn.keysAndValues(x, x), start), { mask }),
      (x) => multiheadAttn.attend(x, cache.memory, { keyPaddingMask }),
    );
  }

  #sublayers(
    x: Tensor,
    attendToSelf: (x: Tensor) => Tensor,
    attendToMemory: (x: Tensor) => Tensor,
  ): Tensor {
    const activate = activationFunction("DecoderLayer", this.activation);
    const y = residual(this, x, this.norm1, attendToSelf);
    const z = residual(this, y, this.norm2, attendToMemory);
    return residual(this, z, this.norm3, (z) => positionWise(this, activate, z));
  }

  override describe(): string {
    return `${this.dModel}, ${this.numHeads}, normFirst=${this.normFirst}`;
  }
}

function observer(
  { onWeights }: DecoderInputs,
  kind: "self" | "memory",
): AttendInputs["onWeights"] {
  return onWeights && ((weights) => onWeights(weights, kind, 0));
}
