export { type ByteEncoding, BytePairTokenizer, type TokenBytes } from "./byte-pair-tokenizer.ts";
export { CausalSelfAttention, type CausalSelfAttentionOptions } from "./causal-self-attention.ts";
export { CharTokenizer } from "./char-tokenizer.ts";
export type { GenerateOptions, SamplingOptions } from "./generate-options.ts";
export { type ForwardOptions, GPT, type GPTOptions } from "./gpt.ts";
export type { FromStateDictOptions } from "./gpt2-weights.ts";
export { type CacheStep, type Extend, KVCache, type Seen } from "./kv-cache.ts";
export { type Preset, type PresetName, presets } from "./presets.ts";
export {
  TransformerDecoderBlock,
  type TransformerDecoderBlockOptions,
} from "./transformer-decoder-block.ts";
