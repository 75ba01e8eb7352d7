import type { GPTOptions } from "./gpt.ts";

/** The published sizes of GPT-2. */
export type PresetName = "gpt2" | "gpt2-medium" | "gpt2-large" | "gpt2-xl";

/** What of `GPT`'s options makes a size. */
export type Preset = Pick<
  GPTOptions,
  "vocabSize" | "maxSeqLen" | "dModel" | "numHeads" | "numLayers"
>;

const gpt2 = (numLayers: number, numHeads: number, dModel: number): Preset => ({
  vocabSize: 50257,
  maxSeqLen: 1024,
  dModel,
  numHeads,
  numLayers,
});

/**
 * GPT-2 in its four sizes, of 124, 355, 774 and 1,558 million parameters: `new GPT(presets["gpt2-medium"])`, or
 * `GPT.fromStateDict(weights, presets.gpt2)`.
 */
export const presets: Readonly<Record<PresetName, Preset>> = {
  gpt2: gpt2(12, 12, 768),
  "gpt2-medium": gpt2(24, 16, 1024),
  "gpt2-large": gpt2(36, 20, 1280),
  "gpt2-xl": gpt2(48, 25, 1600),
};
