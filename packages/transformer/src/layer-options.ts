import type { Activation, Layer } from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";
import type { AttentionMasks } from "./multi-head-attention.ts";

/** Options of `EncoderLayer` and `DecoderLayer`. */
export interface TransformerLayerOptions {
  /** With which probability features and attention weights are dropped in training. Default 0.1. */
  readonly dropout?: number | undefined;
  /** Between the two maps of the feed-forward part. Default `'relu'`. */
  readonly activation?: Activation | undefined;
  /** Whether norms stand in front of the sublayers, not behind the sums. Default false, as in the paper. */
  readonly normFirst?: boolean | undefined;
  /** Added to the variance in the norms. Default 1e-5. */
  readonly layerNormEps?: number | undefined;
  /**
   * In place of `linear1` and `linear2`: a layer that maps `[..., dModel]` to the same, a mixture of experts say, or what makes
   * one.
   */
  readonly feedForward?: Layer | MakeFeedForward | undefined;
}

/** Their names, for `checkOptions`. */
export const layerOptions: Readonly<Record<keyof TransformerLayerOptions, true>> = {
  dropout: true,
  activation: true,
  normFirst: true,
  layerNormEps: true,
  feedForward: true,
};

/** Makes what stands in for a feed-forward part. */
export type MakeFeedForward = (dModel: number) => Layer;

/** Is given attention weights `[batch, heads, queries, keys]`, what is looked at, and the number of the layer in its stack. */
export type OnWeights = (weights: Tensor, kind: "self" | "memory", layer: number) => void;

/** What an encoder takes besides its sequence. */
export interface EncoderInputs extends AttentionMasks {
  /** Called with the attention weights, which are computed only then. */
  readonly onWeights?: OnWeights | undefined;
}

/** Their names, for `checkOptions`. */
export const encoderInputs: Readonly<Record<keyof EncoderInputs, true>> = {
  mask: true,
  isCausal: true,
  keyPaddingMask: true,
  onWeights: true,
};

/** What a decoder takes besides its sequences. `isCausal` is true by default. */
export interface DecoderInputs extends EncoderInputs {
  /** Which of the memory is hidden: as `mask`, for `[queries, memory]`. Default: all is seen. */
  readonly memoryMask?: Tensor | undefined;
  /** `[batch, memory]`; `true` is padding. Default: none. */
  readonly memoryKeyPaddingMask?: Tensor | undefined;
}

/** Their names, for `checkOptions`. */
export const decoderInputs: Readonly<Record<keyof DecoderInputs, true>> = {
  ...encoderInputs,
  memoryMask: true,
  memoryKeyPaddingMask: true,
};
