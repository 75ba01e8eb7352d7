import { ArgumentError, checkOptions as checkNames } from "@gradloom/tensor";

/** How the next token is chosen from its logits, in the order in which it is applied. */
export interface SamplingOptions {
  /** Above 1, what the text already has gets less likely: logits above 0 are divided by it, others multiplied. Default 1. */
  readonly repetitionPenalty?: number | undefined;
  /** Subtracted from the logits of tokens that were generated already. Default 0. */
  readonly presencePenalty?: number | undefined;
  /** Subtracted for each time that a token was generated already. Default 0. */
  readonly frequencyPenalty?: number | undefined;
  /** Logits are divided by it: above 1 samples are bolder, below 1 more careful; 0 takes the likeliest token. Default 1. */
  readonly temperature?: number | undefined;
  /** Draws from the so many likeliest tokens; among equals the first count. Default: from all. */
  readonly topK?: number | undefined;
  /** Draws from the fewest likeliest tokens that have this probability together. Default: from all. */
  readonly topP?: number | undefined;
  /** Draws from tokens with at least this share of the likeliest one's probability. Default: from all. */
  readonly minP?: number | undefined;
}

/** Options of `generate` and `stream`. */
export interface GenerateOptions extends SamplingOptions {
  /** How many tokens to add at most. Default 100, or as many as there are positions for. */
  readonly maxNewTokens?: number | undefined;
  /** Makes the samples repeatable; row `i` of several prompts draws with `seed + i`. Default: what `manualSeed` has set goes on. */
  readonly seed?: number | undefined;
  /** Tokens and sequences of tokens after which a text ends: `50256`, `[50256, [198, 198]]`. They are part of the result. */
  readonly stop?: number | readonly (number | readonly number[])[] | undefined;
  /**
   * What happens when all positions are taken. Default: an error, before anything is computed. `true`: each token sees the last
   * `maxSeqLen` ones, and costs a whole pass. A number: whenever it is full, the text but for its last so many tokens is forgotten.
   */
  readonly slidingWindow?: boolean | number | undefined;
  /** Called with each new token and its row. */
  readonly onToken?: ((id: number, row: number) => void) | undefined;
  /** Ends the texts where they are when aborted. */
  readonly signal?: { readonly aborted: boolean } | undefined;
}

/** Options with their defaults. */
export interface Generation extends GenerateOptions {
  readonly maxNewTokens: number;
  readonly stops: readonly (readonly number[])[];
  /** How many tokens stay when all positions are taken. */
  readonly kept: number;
}

const known: Readonly<Record<keyof GenerateOptions, true>> = {
  repetitionPenalty: true,
  presencePenalty: true,
  frequencyPenalty: true,
  temperature: true,
  topK: true,
  topP: true,
  minP: true,
  maxNewTokens: true,
  seed: true,
  stop: true,
  slidingWindow: true,
  onToken: true,
  signal: true,
};

/** @throws ArgumentError if an option is out of range or not known, or texts do not fit. */
export function checkOptions(
  prompts: readonly (readonly number[])[],
  maxSeqLen: number,
  options: GenerateOptions,
): Generation {
  const { slidingWindow = false, stop = [] } = options;
  checkNames("generate", options, known);
  check(prompts.length > 0, "there must be a prompt", "none");
  for (const prompt of prompts) {
    check(prompt.length > 0, "a prompt must have at least one token", "none");
    for (const id of prompt) check(isId(id), "ids must be integers in 0 … 2^31 − 1", id);
  }
  for (const [name, isValid, rule] of rules) {
    const value = options[name];
    check(value === undefined || isValid(value), `${name} must be ${rule}`, value);
  }
  const stops = [stop].flat().map((s) => [s].flat());
  for (const sequence of stops) {
    const isValid = sequence.length > 0 && sequence.every(isId);
    check(isValid, "stop must name tokens", `[${sequence.join(", ")}]`);
  }
  const kept = slidingWindow === true ? maxSeqLen : Number(slidingWindow);
  const isWindow = isCount(kept) && kept <= maxSeqLen && slidingWindow !== 0;
  check(isWindow, `slidingWindow must be a boolean or an integer in [1, ${maxSeqLen}]`, kept);
  const longest = Math.max(...prompts.map(({ length }) => length));
  const left = maxSeqLen - longest;
  const { maxNewTokens = kept > 0 ? 100 : Math.max(1, Math.min(100, left)) } = options;
  if (kept === 0 && maxNewTokens > left) {
    throw new ArgumentError(
      `generate: a text must have at most maxSeqLen = ${maxSeqLen} tokens, got a prompt of ${longest} and ` +
        `maxNewTokens = ${maxNewTokens}. Ask for fewer, or pass { slidingWindow: true }.`,
      { op: "generate" },
    );
  }
  return { ...options, maxNewTokens, stops, kept };
}

const isCount = (value: number) => Number.isInteger(value) && value >= 0;
const isId = (value: number) => isCount(value) && value < 2 ** 31;
const isNumber = (value: number) => Number.isFinite(value);

type NumericOption = {
  [K in keyof GenerateOptions]-?: number extends GenerateOptions[K] ? K : never;
}[keyof Omit<GenerateOptions, "stop" | "slidingWindow">];

const rules: readonly [NumericOption, (value: number) => boolean, string][] = [
  ["maxNewTokens", isCount, "an integer of at least 0"],
  ["temperature", (t) => t >= 0 && isNumber(t), "a finite number of at least 0"],
  ["topK", (k) => isCount(k) && k > 0, "a positive integer"],
  ["topP", (p) => p > 0 && p <= 1, "in (0, 1]"],
  ["minP", (p) => p >= 0 && p <= 1, "in [0, 1]"],
  ["repetitionPenalty", (p) => p > 0 && isNumber(p), "a finite number above 0"],
  ["presencePenalty", isNumber, "a finite number"],
  ["frequencyPenalty", isNumber, "a finite number"],
  ["seed", Number.isSafeInteger, "a safe integer"],
];

function check(isValid: boolean, rule: string, got: unknown): void {
  if (!isValid) throw new ArgumentError(`generate: ${rule}, got ${got}.`, { op: "generate" });
}
