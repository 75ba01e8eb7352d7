import { checkSize, Dropout, Linear, Module } from "@gradloom/layers";
import {
  ArgumentError,
  checkOptions,
  scaledDotProductAttention,
  type Tensor,
} from "@gradloom/tensor";
import type { Extend, Seen } from "./kv-cache.ts";

/** Options of {@link CausalSelfAttention}. */
export interface CausalSelfAttentionOptions {
  /** Of the weights, and of what comes out, in training. Default 0. */
  readonly dropout?: number;
  /** Whether the two maps have biases. Default true. */
  readonly bias?: boolean;
}

/**
 * Multi-head attention of a sequence to its own past: `softmax(q kᵀ / √headDim) v` for each head, of which position `t` sees
 * positions `0 … t`; `q`, `k` and `v` come from one map of `x`, and one map joins the heads.
 *
 * - Shape: `x [batch, time, dModel] -> [batch, time, dModel]`
 * - Parameters: `qkv` (`Linear(dModel, 3 · dModel)`: all of q, then k, then v), `proj` (`Linear(dModel, dModel)`)
 * - Paper: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; in this layout: GPT-2's `c_attn` and `c_proj`
 * @example `new CausalSelfAttention(64, 4).forward(randn([2, 10, 64]))`
 * @throws ArgumentError if `numHeads` does not divide `dModel`. ShapeError if the last size of `x` is not `dModel`.
 */
export class CausalSelfAttention extends Module {
  readonly numHeads: number;
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly dropout: Dropout;

  constructor(dModel: number, numHeads: number, options: CausalSelfAttentionOptions = {}) {
    super();
    checkOptions("CausalSelfAttention", options, { dropout: true, bias: true });
    checkSize("CausalSelfAttention", "dModel", dModel);
    checkSize("CausalSelfAttention", "numHeads", numHeads);
    if (dModel % numHeads !== 0) {
      throw new ArgumentError(
        `CausalSelfAttention: numHeads must divide dModel, got ${numHeads} and ${dModel}.`,
        { op: "CausalSelfAttention" },
      );
    }
    const { bias = true, dropout = 0 } = options;
    this.numHeads = numHeads;
    this.qkv = new Linear(dModel, 3 * dModel, { bias });
    this.proj = new Linear(dModel, dModel, { bias });
    this.dropout = new Dropout(dropout);
  }

  /** @param extend - Adds keys and values to those of a cache, and gives all; without it there are no others. */
  forward(x: Tensor, extend?: Extend): Tensor {
    const [q, k, v] = this.#heads(x);
    const seen: Seen = extend?.(k, v) ?? { k, v, isCausal: true };
    const dropout = this.training ? this.dropout.p : 0;
    const y = scaledDotProductAttention(q, seen.k, seen.v, { ...seen, dropout });
    return this.dropout.forward(this.proj.forward(y.transpose(1, 2).reshape(x.shape)));
  }

  /** How much each position attends to each: `x [batch, time, dModel] -> [batch, heads, time, time]`, rows of sum 1. To look at. */
  weights(x: Tensor): Tensor {
    const [q, k] = this.#heads(x);
    const scores = q.matmul(k.transpose(-2, -1)).div(Math.sqrt(q.shape[3]));
    const isFuture = scores.detach().mul(0).add(1).triu(1).ne(0);
    return scores.maskedFill(isFuture, -Infinity).softmax(-1);
  }

  /** `[batch, time, 3 · dModel] -> ` q, k and v, `[batch, heads, time, headDim]` each. */
  #heads(x: Tensor): Tensor[] {
    const [batch, time, dModel] = x.shape;
    return this.qkv
      .forward(x)
      .reshape([batch, time, 3, this.numHeads, dModel / this.numHeads])
      .permute([2, 0, 3, 1, 4])
      .unbind(0);
  }

  override describe(): string {
    return `numHeads=${this.numHeads}`;
  }
}
