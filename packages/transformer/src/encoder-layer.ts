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
import {
  type EncoderInputs,
  encoderInputs,
  layerOptions,
  type TransformerLayerOptions,
} from "./layer-options.ts";
import { MultiHeadAttention } from "./multi-head-attention.ts";
import { positionWise, residual } from "./sublayers.ts";

/**
 * A layer of the encoder: everything looks at everything, then each position is worked on by itself.
 *
 *     x ← norm1(x + selfAttn(x, x, x))
 *     x ← norm2(x + linear2(activation(linear1(x))))
 *
 * or, with `normFirst`, `x ← x + selfAttn(norm1(x))` and so on. Dropout acts on each sum's right side, between the two maps
 * and on the attention weights.
 *
 * - Shape: `x [batch, time, dModel] -> [batch, time, dModel]`; or without a batch
 * - Parameters: those of `selfAttn`, `linear1 [dModel → dFf]`, `linear2 [dFf → dModel]`, `norm1`, `norm2`, named as in
 *   `torch.nn.TransformerEncoderLayer`
 * - Paper: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.1
 * @throws ArgumentError if a size or an option is none. ShapeError if shapes do not fit.
 *
 * @example
 * ```ts
 * const layer = new EncoderLayer(512, 8, 2048, { normFirst: true });
 * const y = layer.forward(x, { keyPaddingMask: ids.eq(0) });
 * ```
 */
export class EncoderLayer extends Module {
  readonly dModel: number;
  readonly numHeads: number;
  readonly normFirst: boolean;
  readonly activation: Activation;
  readonly selfAttn: MultiHeadAttention;
  readonly linear1: Linear | undefined;
  readonly linear2: Linear | undefined;
  readonly feedForward: Layer | undefined;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout: Dropout;

  constructor(
    dModel: number,
    numHeads: number,
    dFf: number,
    options: TransformerLayerOptions = {},
  ) {
    super();
    checkOptions("EncoderLayer", options, layerOptions);
    const { dropout = 0.1, activation = "relu", normFirst = false, feedForward } = options;
    const eps = options.layerNormEps ?? 1e-5;
    activationFunction("EncoderLayer", activation);
    this.dModel = dModel;
    this.numHeads = numHeads;
    this.normFirst = normFirst;
    this.activation = activation;
    this.selfAttn = new MultiHeadAttention(dModel, numHeads, { dropout });
    this.linear1 = feedForward ? undefined : new Linear(dModel, dFf);
    this.linear2 = feedForward ? undefined : new Linear(dFf, dModel);
    this.feedForward = typeof feedForward === "function" ? feedForward(dModel) : feedForward;
    this.norm1 = new LayerNorm(dModel, { eps });
    this.norm2 = new LayerNorm(dModel, { eps });
    this.dropout = new Dropout(dropout);
  }

  forward(x: Tensor, options: EncoderInputs = {}): Tensor {
    checkOptions("EncoderLayer", options, encoderInputs);
    const { onWeights } = options;
    const activate = activationFunction("EncoderLayer", this.activation);
    const inputs = { ...options, onWeights: onWeights && ((w: Tensor) => onWeights(w, "self", 0)) };
    const y = residual(this, x, this.norm1, (x) => this.selfAttn.forward(x, x, x, inputs));
    return residual(this, y, this.norm2, (y) => positionWise(this, activate, y));
  }

  override describe(): string {
    return `${this.dModel}, ${this.numHeads}, normFirst=${this.normFirst}`;
  }
}
