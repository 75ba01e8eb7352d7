export type { BeamSearchOptions } from "./beam-search.ts";
export { Decoder } from "./decoder.ts";
export type { DecoderCache } from "./decoder-cache.ts";
export { DecoderLayer } from "./decoder-layer.ts";
export { Encoder, type StackOptions } from "./encoder.ts";
export { EncoderLayer } from "./encoder-layer.ts";
export type { DecodingOptions } from "./greedy-decode.ts";
export type {
  DecoderInputs,
  EncoderInputs,
  MakeFeedForward,
  OnWeights,
  TransformerLayerOptions,
} from "./layer-options.ts";
export {
  type AttendInputs,
  type AttentionMasks,
  type KeysAndValues,
  MultiHeadAttention,
  type MultiHeadAttentionInputs,
  type MultiHeadAttentionOptions,
} from "./multi-head-attention.ts";
export { PositionalEncoding, type PositionalEncodingOptions } from "./positional-encoding.ts";
export { type PaddedSequences, padSequences } from "./sequences.ts";
export {
  type DecodeOptions,
  type EncodeOptions,
  Transformer,
  type TransformerInputs,
  type TransformerOptions,
} from "./transformer.ts";
export {
  type EncodeTextOptions,
  type Tokenizer,
  type VocabularyOptions,
  WordTokenizer,
  type WordTokenizerOptions,
} from "./word-tokenizer.ts";
