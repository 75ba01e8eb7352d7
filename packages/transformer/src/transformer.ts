import {
  type Activation,
  Embedding,
  init,
  LayerNorm,
  Linear,
  Module,
  type Parameter,
} from "@gradloom/layers";
import { ArgumentError, checkOptions, noGrad, ShapeError, type Tensor } from "@gradloom/tensor";
import { type BeamSearchOptions, beamSearch } from "./beam-search.ts";
import { Decoder } from "./decoder.ts";
import { DecoderCache } from "./decoder-cache.ts";
import { DecoderLayer } from "./decoder-layer.ts";
import { Encoder } from "./encoder.ts";
import { EncoderLayer } from "./encoder-layer.ts";
import { type DecodingOptions, greedyDecode, type Sequences } from "./greedy-decode.ts";
import type { MakeFeedForward, OnWeights, TransformerLayerOptions } from "./layer-options.ts";
import { PositionalEncoding } from "./positional-encoding.ts";

/** Options of {@link Transformer}. */
export interface TransformerOptions {
  /** How many different tokens the source has. */
  readonly srcVocabSize: number;
  /** How many different tokens the target has. */
  readonly tgtVocabSize: number;
  /** Features of a token. Default 512. */
  readonly dModel?: number | undefined;
  /** Default 8. */
  readonly numHeads?: number | undefined;
  /** Default 6. */
  readonly numEncoderLayers?: number | undefined;
  /** Default 6. */
  readonly numDecoderLayers?: number | undefined;
  /** Features inside the feed-forward parts. Default 2048. */
  readonly dFf?: number | undefined;
  /** Of sums, of attention weights and of embeddings, in training. Default 0.1. */
  readonly dropout?: number | undefined;
  /** Of the feed-forward parts. Default `'relu'`. */
  readonly activation?: Activation | undefined;
  /** Makes what stands in for the feed-forward part of each layer, for example a mixture of experts. Default: none. */
  readonly feedForward?: MakeFeedForward | undefined;
  /** Whether norms stand in front of sublayers, not behind. Default false, as in the paper. */
  readonly normFirst?: boolean | undefined;
  /** The longest sequence. Default 5000. */
  readonly maxLen?: number | undefined;
  /** Whether the projection's weight is the target embedding's. Default false. */
  readonly tieWeights?: boolean | undefined;
}

/** Options of {@link Transformer.encode}. */
export interface EncodeOptions {
  /** `[batch, sourceTime]`; `true` is padding. Default: none. */
  readonly srcPaddingMask?: Tensor | undefined;
  /** Called with the attention weights, which are computed only then. */
  readonly onWeights?: OnWeights | undefined;
}

/** Options of {@link Transformer.decode}. */
export interface DecodeOptions extends EncodeOptions {
  /** `[batch, time]`; `true` is padding. Default: none. */
  readonly tgtPaddingMask?: Tensor | undefined;
  /**
   * What was decoded before, from `createCache()`. `tgt` is only what comes next then; no gradients are recorded.
   */
  readonly cache?: DecoderCache | undefined;
}

/** Options of {@link Transformer.forward}. */
export interface TransformerInputs {
  /** `[batch, sourceTime]`; `true` is padding. Default: none. */
  readonly srcPaddingMask?: Tensor | undefined;
  /** `[batch, time]`; `true` is padding. Default: none. */
  readonly tgtPaddingMask?: Tensor | undefined;
}

/** The names of all of these, for `checkOptions`: `forward` hands its options on. */
const inputs: Readonly<Record<keyof DecodeOptions, true>> = {
  srcPaddingMask: true,
  tgtPaddingMask: true,
  onWeights: true,
  cache: true,
};

/**
 * The transformer of "Attention Is All You Need": an encoder reads the source, a decoder writes the target token by token and
 * looks at what the encoder made of the source.
 *
 *     memory = encoder(srcEmbedding(src) · √dModel + PE)
 *     logits = projection(decoder(tgtEmbedding(tgt) · √dModel + PE, memory))
 *
 * Trained with the target as its own input, one position behind: `forward(src, tgt[:, :-1])` predicts `tgt[:, 1:]`. No
 * position sees a later one.
 *
 * - Shape: `src [batch, sourceTime]`, `tgt [batch, time]` (int32) `-> [batch, time, tgtVocabSize]`
 * - Parameters: those of `srcEmbedding`, `tgtEmbedding`, `encoder`, `decoder`, `projection`; names and shapes of encoder and
 *   decoder are those of `torch.nn.Transformer`
 * - Init: Xavier uniform for all matrices, as `torch.nn.Transformer` has it. What `feedForward` makes keeps its own
 * - Paper: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
 * @throws ArgumentError if an option is out of range. ShapeError if shapes do not fit. IndexError if an id is not in the vocabulary.
 *
 * @example
 * ```ts
 * const model = new Transformer({ srcVocabSize: 1000, tgtVocabSize: 800, dModel: 128, numHeads: 4, dFf: 512 });
 * const logits = model.forward(src, tgt, { srcPaddingMask: src.eq(0) });
 * const [ids] = await model.greedyDecode([[5, 6, 7, 2]], { bosId: 1, eosId: 2 });
 * ```
 */
export class Transformer extends Module {
  readonly dModel: number;
  readonly srcEmbedding: Embedding;
  readonly tgtEmbedding: Embedding;
  readonly positionalEncoding: PositionalEncoding;
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  readonly projection: Linear;

  constructor(options: TransformerOptions) {
    super();
    checkOptions("Transformer", options, {
      srcVocabSize: true,
      tgtVocabSize: true,
      dModel: true,
      numHeads: true,
      numEncoderLayers: true,
      numDecoderLayers: true,
      dFf: true,
      dropout: true,
      activation: true,
      feedForward: true,
      normFirst: true,
      maxLen: true,
      tieWeights: true,
    });
    const { srcVocabSize, tgtVocabSize, dModel = 512, numHeads = 8, dFf = 2048 } = options;
    const { numEncoderLayers = 6, numDecoderLayers = 6, dropout = 0.1, maxLen = 5000 } = options;
    const { activation, normFirst, feedForward, tieWeights = false } = options;
    for (const [name, count] of Object.entries({ numEncoderLayers, numDecoderLayers })) {
      if (Number.isInteger(count) && count >= 0) continue;
      throw new ArgumentError(
        `Transformer: ${name} must be an integer of at least 0, got ${count}.`,
        { op: "Transformer" },
      );
    }
    const layerOptions = { dropout, activation, normFirst, feedForward };
    const stack = <L>(count: number, Layer: LayerConstructor<L>) =>
      Array.from({ length: count }, () => new Layer(dModel, numHeads, dFf, layerOptions));
    this.dModel = dModel;
    this.srcEmbedding = new Embedding(srcVocabSize, dModel);
    this.tgtEmbedding = new Embedding(tgtVocabSize, dModel);
    this.positionalEncoding = new PositionalEncoding(dModel, { maxLen, dropout });
    this.encoder = new Encoder(stack(numEncoderLayers, EncoderLayer), {
      norm: new LayerNorm(dModel),
    });
    this.decoder = new Decoder(stack(numDecoderLayers, DecoderLayer), {
      norm: new LayerNorm(dModel),
    });
    this.projection = new Linear(dModel, tgtVocabSize);
    if (tieWeights) {
      const tied: { weight: Parameter } = this.projection;
      tied.weight = this.tgtEmbedding.weight;
    }
    const layers = [...this.encoder.layers, ...this.decoder.layers];
    const given = new Set(layers.flatMap((layer) => layer.feedForward?.parameters() ?? []));
    for (const parameter of this.parameters()) {
      if (parameter.ndim > 1 && !given.has(parameter)) init.xavierUniform(parameter);
    }
  }

  forward(src: Tensor, tgt: Tensor, options: TransformerInputs = {}): Tensor {
    return this.decode(tgt, this.encode(src, options), options);
  }

  /** The memory: `src [batch, sourceTime] -> [batch, sourceTime, dModel]`. */
  encode(src: Tensor, options: EncodeOptions = {}): Tensor {
    checkOptions("Transformer", options, inputs);
    const { srcPaddingMask, onWeights } = options;
    const x = this.positionalEncoding.forward(this.#embed(this.srcEmbedding, src));
    return this.encoder.forward(x, { keyPaddingMask: srcPaddingMask, onWeights });
  }

  /**
   * The logits of what follows each position: `tgt [batch, time]`, `memory [batch, sourceTime, dModel] -> [batch, time,
   * tgtVocabSize]`.
   *
   * @throws ArgumentError if there is a cache and also `tgtPaddingMask` or `onWeights`. ShapeError if `tgt` and `memory` are of
   * other batches. StateError if the cache has read another memory.
   */
  decode(tgt: Tensor, memory: Tensor, options: DecodeOptions = {}): Tensor {
    checkOptions("Transformer", options, inputs);
    const { srcPaddingMask, tgtPaddingMask, onWeights, cache } = options;
    if (cache === undefined) {
      const x = this.positionalEncoding.forward(this.#embed(this.tgtEmbedding, tgt));
      const y = this.decoder.forward(x, memory, {
        keyPaddingMask: tgtPaddingMask,
        memoryKeyPaddingMask: srcPaddingMask,
        onWeights,
      });
      return this.projection.forward(y);
    }
    if (tgtPaddingMask !== undefined || onWeights !== undefined) {
      const got = tgtPaddingMask === undefined ? "onWeights" : "tgtPaddingMask";
      throw new ArgumentError(
        `decode: with a cache there must be neither tgtPaddingMask nor onWeights, got ${got}. Decode without a cache.`,
        { op: "decode" },
      );
    }
    const [batch, time] = tgt.shape;
    if (tgt.ndim !== 2 || batch !== memory.shape[0]) {
      const shapes = [tgt.shape, memory.shape];
      throw new ShapeError(
        `decode: with a cache tgt must be [batch, time] and memory [batch, sourceTime, ${this.dModel}], ` +
          `got ${shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")}.`,
        { op: "decode", shapes },
      );
    }
    cache.reserve(this.decoder, memory, srcPaddingMask, time);
    const logits = this.continue(tgt, cache, cache.position);
    cache.advance(time);
    return logits;
  }

  /** {@link decode} of the positions from `start` on, where there is room in the cache. What `greedyDecode` repeats. */
  continue(tgt: Tensor, cache: DecoderCache, start: number | Tensor): Tensor {
    return noGrad(() => {
      const x = this.positionalEncoding.forward(this.#embed(this.tgtEmbedding, tgt), start);
      return this.projection.forward(this.decoder.continue(x, cache, start));
    });
  }

  /** What `decode` may remember between two calls. @param capacity - Positions to make room for at first. Default 32. */
  createCache(options: { readonly capacity?: number } = {}): DecoderCache {
    checkOptions("createCache", options, { capacity: true });
    return new DecoderCache(options.capacity);
  }

  /**
   * Writes the target of each source, always with the likeliest next token. Dropout is off meanwhile.
   *
   * @param src - `[batch, time]`, or lists of ids that may differ in length, or a single one.
   * @returns The ids behind `bosId` and before `eosId`; for a single list a single list.
   * @throws ArgumentError if an option is out of range.
   *
   * @example
   * ```ts
   * const targets = await model.greedyDecode(src, { bosId: 1, eosId: 2, srcPaddingMask: src.eq(0) });
   * ```
   */
  greedyDecode(src: readonly number[], options: DecodingOptions): Promise<number[]>;
  greedyDecode(
    src: Tensor | readonly (readonly number[])[],
    options: DecodingOptions,
  ): Promise<number[][]>;
  greedyDecode(src: Sequences, options: DecodingOptions): Promise<number[] | number[][]> {
    return greedyDecode(this, src, options);
  }

  /**
   * The same with several beginnings of each target in view: ends when `beamSize` targets have ended and gives the one with the
   * best `log p / ((5 + length) / 6)^lengthPenalty`.
   *
   * - Paper: Wu et al. 2016, https://arxiv.org/abs/1609.08144, section 7
   * @throws ArgumentError if an option is out of range.
   */
  beamSearch(src: readonly number[], options: BeamSearchOptions): Promise<number[]>;
  beamSearch(
    src: Tensor | readonly (readonly number[])[],
    options: BeamSearchOptions,
  ): Promise<number[][]>;
  beamSearch(src: Sequences, options: BeamSearchOptions): Promise<number[] | number[][]> {
    return beamSearch(this, src, options);
  }

  #embed(embedding: Embedding, ids: Tensor): Tensor {
    return embedding.forward(ids).mul(Math.sqrt(this.dModel));
  }
}

type LayerConstructor<L> = new (
  dModel: number,
  numHeads: number,
  dFf: number,
  options: TransformerLayerOptions,
) => L;
