import {
  type Activation,
  Dropout,
  FeedForward,
  type Layer,
  LayerNorm,
  Module,
} from "@gradloom/layers";
import { checkOptions, type Tensor } from "@gradloom/tensor";
import { CausalSelfAttention } from "./causal-self-attention.ts";
import type { Extend } from "./kv-cache.ts";

/** Options of {@link TransformerDecoderBlock}. */
export interface TransformerDecoderBlockOptions {
  /** Of attention's weights and of what both parts add, in training. Default 0. */
  readonly dropout?: number;
  /** Whether maps and norms have biases. Default true. */
  readonly bias?: boolean;
  /** Features inside of the feed-forward. Default: 4 · `dModel`. */
  readonly dFf?: number;
  /** Of the feed-forward. Default: GELU with the tanh approximation, as in GPT-2. */
  readonly activation?: Activation;
  /** Added to the variance in the norms. Default 1e-5. */
  readonly eps?: number;
  /** What makes the feed-forward: a mixture of experts, for example. Default: a `FeedForward` of the options above. */
  readonly feedForward?: ((dModel: number) => Layer) | undefined;
}

/** Their names, for `checkOptions`. */
export const blockOptions: Readonly<Record<keyof TransformerDecoderBlockOptions, true>> = {
  dropout: true,
  bias: true,
  dFf: true,
  activation: true,
  eps: true,
  feedForward: true,
};

/** GELU by its tanh approximation, as GPT-2 was trained with. */
function geluTanh(x: Tensor): Tensor {
  return x.gelu({ approximate: "tanh" });
}

/**
 * A block of a decoder-only transformer, each part on a normalised copy of what it adds to: `x + attn(ln1(x))`, then
 * `x + ffn(ln2(x))`.
 *
 * - Shape: `x [batch, time, dModel] -> [batch, time, dModel]`
 * - Parameters: those of `ln1`, `attn`, `ln2` and `ffn`
 * - Paper: Radford et al. 2019, Language models are unsupervised multitask learners (GPT-2)
 * @throws ArgumentError if `numHeads` does not divide `dModel`.
 */
export class TransformerDecoderBlock extends Module {
  readonly ln1: LayerNorm;
  readonly attn: CausalSelfAttention;
  readonly ln2: LayerNorm;
  readonly ffn: Layer;
  readonly dropout: Dropout;

  constructor(dModel: number, numHeads: number, options: TransformerDecoderBlockOptions = {}) {
    super();
    checkOptions("TransformerDecoderBlock", options, blockOptions);
    const { dropout = 0, bias = true, eps = 1e-5, feedForward } = options;
    const { dFf = 4 * dModel, activation = geluTanh } = options;
    this.ln1 = new LayerNorm(dModel, { bias, eps });
    this.attn = new CausalSelfAttention(dModel, numHeads, { dropout, bias });
    this.ln2 = new LayerNorm(dModel, { bias, eps });
    this.ffn = feedForward?.(dModel) ?? new FeedForward(dModel, dFf, { activation, bias });
    this.dropout = new Dropout(dropout);
  }

  /** @param extend - As in `CausalSelfAttention`. */
  forward(x: Tensor, extend?: Extend): Tensor {
    const y = x.add(this.attn.forward(this.ln1.forward(x), extend));
    return y.add(this.dropout.forward(this.ffn.forward(this.ln2.forward(y))));
  }
}
