import {
  checkSize,
  Dropout,
  Embedding,
  FeedForward,
  init,
  LayerNorm,
  Linear,
  Module,
  ModuleList,
} from "@gradloom/layers";
import { ArgumentError, checkOptions, noGrad, ShapeError, type Tensor } from "@gradloom/tensor";
import { generate, stream } from "./generate.ts";
import type { GenerateOptions } from "./generate-options.ts";
import { type FromStateDictOptions, readStateDict } from "./gpt2-weights.ts";
import { KVCache } from "./kv-cache.ts";
import {
  blockOptions,
  TransformerDecoderBlock,
  type TransformerDecoderBlockOptions,
} from "./transformer-decoder-block.ts";

/** Options of {@link GPT}; what blocks take is theirs. */
export interface GPTOptions extends TransformerDecoderBlockOptions {
  /** How many different tokens there are. */
  readonly vocabSize: number;
  /** How many positions there are. */
  readonly maxSeqLen: number;
  readonly dModel: number;
  readonly numHeads: number;
  readonly numLayers: number;
  /** Whether the output projection is the embedding of tokens, transposed, as in GPT-2. Default true. */
  readonly tieWeights?: boolean;
}

/** Options of `forward`. */
export interface ForwardOptions {
  /** Goes on behind the tokens in it, and adds the new ones; nothing is recorded for gradients then. */
  readonly cache?: KVCache | undefined;
  /** With a cache: how many of the ids are real in each row; those behind are only there to make rows equally long. */
  readonly lengths?: readonly number[] | undefined;
}

/**
 * A decoder-only language model, laid out as GPT-2: `x = wte[ids] + wpe[positions]`, then the blocks, a last norm, and the
 * product with the embedding of each token.
 *
 * - Shape: `ids [batch, time]` (int32) `-> logits [batch, time, vocabSize]`
 * - Parameters: `wte [vocabSize, dModel]`, `wpe [maxSeqLen, dModel]`, those of `blocks` and `lnF`, and of `head` unless weights
 *   are tied
 * - Init: normal with standard deviation 0.02, that of the two maps which end in the residual stream divided by
 *   √(2 · numLayers); biases 0. A feed-forward that is no `FeedForward` keeps its own
 * - Paper: Radford et al. 2019, Language models are unsupervised multitask learners
 * @example
 * ```ts
 * const model = new GPT({ vocabSize: 65, maxSeqLen: 64, dModel: 128, numHeads: 4, numLayers: 4 });
 * const logits = model.forward(tensor([[1, 2, 3]], { dtype: "int32" }));
 * ```
 * @throws ArgumentError if a size is not a positive integer, or `numHeads` does not divide `dModel`.
 */
export class GPT extends Module {
  readonly vocabSize: number;
  readonly maxSeqLen: number;
  readonly wte: Embedding;
  readonly wpe: Embedding;
  readonly dropout: Dropout;
  readonly blocks: ModuleList<TransformerDecoderBlock>;
  readonly lnF: LayerNorm;
  readonly head: Linear | undefined;

  constructor(options: GPTOptions) {
    super();
    checkOptions("GPT", options, {
      ...blockOptions,
      vocabSize: true,
      maxSeqLen: true,
      dModel: true,
      numHeads: true,
      numLayers: true,
      tieWeights: true,
    });
    const { vocabSize, maxSeqLen, dModel, numHeads, numLayers, tieWeights, ...inBlock } = options;
    const { bias = true, eps = 1e-5 } = inBlock;
    const sizes = { vocabSize, maxSeqLen, dModel, numHeads, numLayers };
    for (const [name, size] of Object.entries(sizes)) checkSize("GPT", name, size);
    this.vocabSize = vocabSize;
    this.maxSeqLen = maxSeqLen;
    this.wte = new Embedding(vocabSize, dModel);
    this.wpe = new Embedding(maxSeqLen, dModel);
    this.dropout = new Dropout(options.dropout ?? 0);
    this.blocks = new ModuleList(
      Array.from(
        { length: numLayers },
        () => new TransformerDecoderBlock(dModel, numHeads, inBlock),
      ),
    );
    this.lnF = new LayerNorm(dModel, { bias, eps });
    this.head = (tieWeights ?? true) ? undefined : new Linear(dModel, vocabSize, { bias: false });
    this.#initialize();
  }

  /**
   * @throws ShapeError if the ids are not `[batch, time]`, or longer than `maxSeqLen`; ArgumentError if they are with those in the
   * cache. IndexError if an id is not below `vocabSize`.
   */
  forward(ids: Tensor, options: ForwardOptions = {}): Tensor {
    return recording(options, () => this.project(this.features(ids, options)));
  }

  /** What the last norm gives, before it is projected to logits: `ids [batch, time] -> [batch, time, dModel]`. */
  features(ids: Tensor, options: ForwardOptions = {}): Tensor {
    const { shape } = ids;
    const time = shape[1];
    if (ids.ndim !== 2 || time > this.maxSeqLen) {
      throw new ShapeError(
        `forward: ids must be [batch, time] with at most maxSeqLen = ${this.maxSeqLen} tokens a row, got [${shape.join(", ")}].`,
        { op: "forward", shapes: [shape] },
      );
    }
    return recording(options, () => {
      const tokens = this.wte.forward(ids);
      const step = options.cache?.begin(shape, options.lengths);
      const positions = step?.positions?.minimum(this.maxSeqLen - 1);
      const places =
        positions === undefined ? this.wpe.weight.narrow(0, 0, time) : this.wpe.forward(positions);
      let x = this.dropout.forward(tokens.add(places)); // [batch, time, dModel]
      for (const [layer, block] of [...this.blocks].entries()) {
        x = block.forward(x, step?.extend(layer));
      }
      return this.lnF.forward(x);
    });
  }

  /** Logits of features: `[..., dModel] -> [..., vocabSize]`. */
  project(features: Tensor): Tensor {
    return this.head?.forward(features) ?? features.matmul(this.wte.weight.t());
  }

  /** An empty cache for rows of tokens: what `forward` reads with it is not read again. */
  createCache(options: { readonly batchSize?: number } = {}): KVCache {
    checkOptions("createCache", options, { batchSize: true });
    const { batchSize = 1 } = options;
    checkSize("createCache", "batchSize", batchSize);
    return new KVCache(batchSize, this.maxSeqLen);
  }

  /**
   * Goes on with a prompt, or with several of any lengths, token by token. Each row of several is what its prompt gives
   * alone (with `seed + row` for its seed). Dropout is off.
   *
   * @param ids - The prompt, with at least one token; or a list of prompts.
   * @returns The same with the new tokens behind, a stop sequence that ended it included.
   * @throws ArgumentError if there is no prompt, an option is out of range, or the text would get longer than `maxSeqLen` and no
   * `slidingWindow` is asked for. IndexError if an id is not below `vocabSize`.
   * @example `await model.generate(prompt, { maxNewTokens: 50, temperature: 0.8, topK: 40, seed: 1 })`
   */
  generate(ids: readonly number[], options?: GenerateOptions): Promise<number[]>;
  generate(ids: readonly (readonly number[])[], options?: GenerateOptions): Promise<number[][]>;
  generate(
    ids: readonly number[] | readonly (readonly number[])[],
    options: GenerateOptions = {},
  ): Promise<number[] | number[][]> {
    return generate(this, ids, options);
  }

  /**
   * {@link GPT.generate} as it happens: yields each new id; for a list of prompts each step's ids, with undefined for rows that
   * have ended.
   *
   * @example `for await (const id of model.stream(prompt, { signal })) write(tokenizer.decode([id]))`
   */
  stream(ids: readonly number[], options?: GenerateOptions): AsyncGenerator<number, void, void>;
  stream(
    ids: readonly (readonly number[])[],
    options?: GenerateOptions,
  ): AsyncGenerator<(number | undefined)[], void, void>;
  stream(
    ids: readonly number[] | readonly (readonly number[])[],
    options: GenerateOptions = {},
  ): AsyncGenerator<number | (number | undefined)[], void, void> {
    return stream(this, ids, options);
  }

  /**
   * A model with given weights, in their precision; its sizes are read from their shapes. Understands GPT-2's published names (with or without
   * `transformer.`; `Conv1D` weights, which are transposed; buffers of causal masks, which are ignored), nanoGPT's, and those of
   * `stateDict()`.
   *
   * @param options - `numHeads`, which no shape tells, and what else is not in the weights: `dropout`, `activation`, `feedForward`.
   * @throws StateError if a weight is missing or unexpected. ArgumentError if a size that is given differs from what shapes say.
   * @example `GPT.fromStateDict(await loadSafetensors("model.safetensors"), { numHeads: 12 })`
   */
  static fromStateDict(
    stateDict: Readonly<Record<string, Tensor>>,
    options: FromStateDictOptions,
  ): GPT {
    const { weights, sizes } = readStateDict(stateDict, options);
    const model = new GPT({ ...options, ...sizes }).to(weights["wte.weight"].dtype);
    model.loadStateDict(weights);
    return model;
  }

  #initialize(): void {
    noGrad(() => {
      const std = 0.02;
      init.normal(this.wte.weight, { std });
      init.normal(this.wpe.weight, { std });
      if (this.head !== undefined) init.normal(this.head.weight, { std });
      for (const { attn, ffn } of this.blocks) {
        const maps = ffn instanceof FeedForward ? [ffn.up, ffn.down] : [];
        for (const map of [attn.qkv, attn.proj, ...maps]) {
          const isLast = map === attn.proj || map === maps[1];
          init.normal(map.weight, { std: isLast ? std / Math.sqrt(2 * this.blocks.length) : std });
          if (map.bias !== undefined) init.zeros(map.bias);
        }
      }
    });
  }

  override describe(): string {
    return `vocabSize=${this.vocabSize}, maxSeqLen=${this.maxSeqLen}`;
  }
}

/** A cache is a state: gradients do not flow through it. */
function recording(options: ForwardOptions, fn: () => Tensor): Tensor {
  checkOptions("forward", options, { cache: true, lengths: true });
  if (options.cache !== undefined) return noGrad(fn);
  if (options.lengths !== undefined) {
    throw new ArgumentError("forward: lengths must come with a cache, got none.", {
      op: "forward",
    });
  }
  return fn();
}
