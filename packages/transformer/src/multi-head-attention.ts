import { checkSize, init, Linear, Module, Parameter } from "@gradloom/layers";
import {
  ArgumentError,
  checkOptions,
  eye,
  requireTensor,
  ShapeError,
  scaledDotProductAttention,
  type Tensor,
} from "@gradloom/tensor";
import { scoreMask } from "./attention-mask.ts";

/** Options of {@link MultiHeadAttention}. */
export interface MultiHeadAttentionOptions {
  /** With which probability a weight is dropped in training. Default 0. */
  readonly dropout?: number;
  /** Whether the four maps have biases. Default true. */
  readonly bias?: boolean;
}

/** Who attends to whom. */
export interface AttentionMasks {
  /**
   * A boolean, where `true` hides, or a number that is added to the score: `[queries, keys]`, `[batch, queries, keys]`,
   * `[batch · heads, queries, keys]` or `[batch, heads, queries, keys]`. Default: all see all.
   */
  readonly mask?: Tensor | undefined;
  /** Whether query `i` sees only keys `0 … i`. Default: false. */
  readonly isCausal?: boolean | undefined;
  /** `[batch, keys]`; `true` is padding, which nobody sees. Default: none. */
  readonly keyPaddingMask?: Tensor | undefined;
}

/** What attention on keys and values that are at hand takes. */
export interface AttendInputs extends AttentionMasks {
  /** Called with the weights, `[batch, heads, queries, keys]`, which are computed only then. */
  readonly onWeights?: ((weights: Tensor) => void) | undefined;
}

/** Options of {@link MultiHeadAttention.forward}. */
export interface MultiHeadAttentionInputs extends AttentionMasks {
  /** Whether to give the weights as well. Default: false. */
  readonly needWeights?: boolean | undefined;
  /** Whether those are the mean over the heads. Default: true. */
  readonly averageWeights?: boolean | undefined;
}

/** Their names, for `checkOptions`; with the one that layers give it. */
const attentionInputs: Readonly<Record<keyof MultiHeadAttentionInputs | keyof AttendInputs, true>> =
  {
    mask: true,
    isCausal: true,
    keyPaddingMask: true,
    onWeights: true,
    needWeights: true,
    averageWeights: true,
  };

/** Keys and values by head, `[batch, heads, time, features]` each. */
export type KeysAndValues = readonly [keys: Tensor, values: Tensor];

/**
 * Attention of several heads, each on its own part of the features:
 *
 *     headᵢ = softmax(Qᵢ Kᵢᵀ / √(dModel / numHeads)) Vᵢ,  Q, K, V = query W_qᵀ, key W_kᵀ, value W_vᵀ;  y = [head₁ … headₙ] W_oᵀ
 *
 * - Shape: `query [batch, queries, dModel]`, `key` and `value [batch, keys, dModel] -> [batch, queries, dModel]`; or all
 *   without a batch. With `needWeights`: `[output, weights]`, weights `[batch, queries, keys]`, with a head axis behind the
 *   batch if `averageWeights` is false
 * - Parameters: `inProjWeight [3·dModel, dModel]` and `inProjBias [3·dModel]` with query, key and value one below the other,
 *   `outProj.weight [dModel, dModel]`, `outProj.bias [dModel]`
 * - Init: Xavier uniform; biases 0; `outProj.weight` uniform on ±1/√dModel
 * - A query that sees no key gets zeros from each head. Differs from PyTorch, which gives NaN; batch first always
 * - Paper: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2
 * @throws ArgumentError if `dModel` is not a multiple of `numHeads`. ShapeError if shapes do not fit.
 *
 * @example
 * ```ts
 * const attention = new MultiHeadAttention(64, 8);
 * const y = attention.forward(x, x, x, { isCausal: true }); // x [batch, time, 64]
 * ```
 */
export class MultiHeadAttention extends Module {
  readonly dModel: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly inProjWeight: Parameter;
  readonly inProjBias: Parameter | undefined;
  readonly outProj: Linear;

  constructor(dModel: number, numHeads: number, options: MultiHeadAttentionOptions = {}) {
    super();
    checkOptions("MultiHeadAttention", options, { dropout: true, bias: true });
    const op = "MultiHeadAttention";
    const { dropout = 0, bias = true } = options;
    checkSize(op, "dModel", dModel);
    checkSize(op, "numHeads", numHeads);
    if (dModel % numHeads !== 0) {
      throw new ArgumentError(
        `${op}: dModel must be a multiple of numHeads, got ${dModel} and ${numHeads}.`,
        { op },
      );
    }
    if (!(dropout >= 0 && dropout <= 1)) {
      throw new ArgumentError(`${op}: dropout must be in [0, 1], got ${dropout}.`, { op });
    }
    this.dModel = dModel;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.inProjWeight = new Parameter(init.xavierUniform([3 * dModel, dModel]));
    this.inProjBias = bias ? new Parameter(init.zeros([3 * dModel])) : undefined;
    this.outProj = new Linear(dModel, dModel, { bias });
    if (this.outProj.bias !== undefined) init.zeros(this.outProj.bias);
  }

  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: MultiHeadAttentionInputs & { readonly needWeights: true },
  ): [output: Tensor, weights: Tensor];
  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options?: MultiHeadAttentionInputs & { readonly needWeights?: false | undefined },
  ): Tensor;
  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options?: MultiHeadAttentionInputs,
  ): Tensor | [output: Tensor, weights: Tensor];
  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: MultiHeadAttentionInputs = {},
  ): Tensor | [output: Tensor, weights: Tensor] {
    checkOptions("MultiHeadAttention", options, attentionInputs);
    this.#check(query, key, value);
    if (query.ndim === 2) return this.#withoutBatch(query, key, value, options);
    const { needWeights = false, averageWeights = true } = options;
    if (!needWeights) return this.#forward(query, key, value, options);
    const found: Tensor[] = [];
    const onWeights = (weights: Tensor) => found.push(weights);
    const output = this.#forward(query, key, value, { ...options, onWeights });
    return [output, averageWeights ? found[0].mean(1) : found[0]];
  }

  /** The keys and values of all heads: what a cache keeps. `[batch, keys, dModel] -> [batch, heads, keys, features]` */
  keysAndValues(key: Tensor, value: Tensor): KeysAndValues {
    const [k, v] =
      key === value
        ? this.#project(key, 1, 2)
        : [...this.#project(key, 1, 1), ...this.#project(value, 2, 1)];
    return [k, v];
  }

  /** The output for keys and values that are at hand. `query [batch, queries, dModel] -> [batch, queries, dModel]` */
  attend(query: Tensor, keysAndValues: KeysAndValues, options: AttendInputs = {}): Tensor {
    const [q] = this.#project(query, 0, 1);
    return this.#attend(q, keysAndValues, options);
  }

  #forward(query: Tensor, key: Tensor, value: Tensor, options: AttendInputs): Tensor {
    if (query === key && key === value) {
      const [q, k, v] = this.#project(query, 0, 3); // one product for all three
      return this.#attend(q, [k, v], options);
    }
    return this.attend(query, this.keysAndValues(key, value), options);
  }

  #attend(q: Tensor, [k, v]: KeysAndValues, options: AttendInputs): Tensor {
    const { isCausal = false, onWeights } = options;
    const [batch, heads, queries] = q.shape;
    const keys = k.shape[2];
    const scores = { batch, heads, queries, keys };
    const mask = scoreMask("MultiHeadAttention", scores, options.mask, options.keyPaddingMask);
    const dropout = this.training ? this.dropout : 0;
    if (onWeights === undefined) {
      return this.#join(scaledDotProductAttention(q, k, v, { mask, isCausal, dropout }));
    }
    // The weights are what attention makes of the rows of the identity.
    const each = eye(keys, { dtype: q.dtype });
    const weights = scaledDotProductAttention(q, k, each, { mask, isCausal, dropout });
    onWeights(weights);
    return this.#join(weights.matmul(v));
  }

  /** Some of query, key and value, by head: `[batch, time, dModel] -> [batch, heads, time, features]` each. */
  #project(x: Tensor, first: number, count: number): Tensor[] {
    const { dModel, numHeads, inProjWeight, inProjBias } = this;
    const part = (p: Tensor) => p.narrow(0, first * dModel, count * dModel);
    const y = x.linear(part(inProjWeight), { bias: inProjBias && part(inProjBias) });
    const features = dModel / numHeads;
    return y.chunk(count, -1).map((p) => p.unflatten(-1, [numHeads, features]).transpose(1, 2));
  }

  /** `[batch, heads, time, features] -> [batch, time, dModel]` */
  #join(heads: Tensor): Tensor {
    return this.outProj.forward(heads.transpose(1, 2).flatten(-2));
  }

  #withoutBatch(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: MultiHeadAttentionInputs,
  ): Tensor | [output: Tensor, weights: Tensor] {
    const one = query.unsqueeze(0);
    const k = key === query ? one : key.unsqueeze(0);
    const v = value === query ? one : value === key ? k : value.unsqueeze(0);
    const result = this.forward(one, k, v, options);
    if (!Array.isArray(result)) return result.squeeze(0);
    return [result[0].squeeze(0), result[1].squeeze(0)];
  }

  #check(query: Tensor, key: Tensor, value: Tensor): void {
    const inputs = [query, key, value];
    for (const x of inputs) requireTensor("MultiHeadAttention", x);
    const shapes = inputs.map((x) => x.shape);
    const { ndim } = query;
    const fits =
      (ndim === 2 || ndim === 3) &&
      shapes.every((shape) => shape.length === ndim && shape[ndim - 1] === this.dModel) &&
      (ndim === 2 || shapes.every(([batch]) => batch === query.shape[0])) &&
      key.shape[ndim - 2] === value.shape[ndim - 2];
    if (fits) return;
    const d = this.dModel;
    throw new ShapeError(
      `MultiHeadAttention: query must be [batch, queries, ${d}], key and value [batch, keys, ${d}], or all without the batch, ` +
        `got ${shapes.map((shape) => `[${shape.join(", ")}]`).join(", ")}.`,
      { op: "MultiHeadAttention", shapes },
    );
  }

  override describe(): string {
    return `${this.dModel}, ${this.numHeads}`;
  }
}
