import { StateError } from "@gradloom/tensor";
import type { SamplingOptions } from "./generate-options.ts";

/** A text so far. */
export interface Text {
  /** Prompt and new tokens. */
  readonly ids: readonly number[];
  /** How many of the ids belong to the prompt. */
  readonly promptLength: number;
}

/** Logits that are lowered for what the text already has. */
export function penalized(
  logits: ArrayLike<number>,
  text: Text,
  options: SamplingOptions,
): Float64Array {
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = options;
  const scores = Float64Array.from(logits);
  if (repetitionPenalty !== 1) {
    for (const id of new Set(text.ids)) {
      scores[id] = scores[id] > 0 ? scores[id] / repetitionPenalty : scores[id] * repetitionPenalty;
    }
  }
  if (presencePenalty !== 0 || frequencyPenalty !== 0) {
    const fresh = text.ids.slice(text.promptLength);
    for (const id of new Set(fresh)) scores[id] -= presencePenalty;
    for (const id of fresh) scores[id] -= frequencyPenalty;
  }
  return scores;
}

/** Tokens that may be drawn, and how likely each is among them. */
export interface Candidates {
  readonly ids: Int32Array;
  readonly probabilities: Float64Array;
}

/** The tokens that temperature, topK, topP and minP leave, each on what the one before has left. */
export function candidatesOf(scores: Float64Array, options: SamplingOptions): Candidates {
  const { temperature = 1, topK, topP = 1, minP = 0 } = options;
  const all = Int32Array.from(scores, (_, id) => id);
  const ids = topK === undefined || topK >= all.length ? all : likeliest(scores, topK);
  let left = softmax(scores, ids, temperature);
  if (topP < 1) left = nucleus(left, topP);
  if (minP > 0) {
    const least = minP * left.probabilities.reduce((a, b) => Math.max(a, b));
    left = only(left, (probability) => probability >= least);
  }
  return left;
}

/**
 * The next token of a text.
 *
 * @param uniform - A number in [0, 1) that decides; asked for only if something is left to chance.
 * @throws StateError if logits are NaN.
 */
export function nextToken(
  logits: ArrayLike<number>,
  text: Text,
  options: SamplingOptions,
  uniform: number,
): number {
  const scores = penalized(logits, text, options);
  if (scores.some(Number.isNaN)) {
    throw new StateError("generate: logits must be numbers, got NaN. Has the training diverged?", {
      op: "generate",
    });
  }
  if (options.temperature === 0) return indexOfLargest(scores);
  return draw(candidatesOf(scores, options), uniform);
}

/** The candidate in whose part of [0, 1) a number lies. */
function draw({ ids, probabilities }: Candidates, uniform: number): number {
  let rest = uniform * probabilities.reduce((a, b) => a + b);
  let last = ids[0];
  for (let i = 0; i < ids.length; i++) {
    if (probabilities[i] === 0) continue;
    last = ids[i];
    rest -= probabilities[i];
    if (rest < 0) break;
  }
  return last;
}

function indexOfLargest(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** The ids of the `count` largest scores, ascending; among equals the first. */
function likeliest(scores: Float64Array, count: number): Int32Array {
  const least = scores.slice().sort()[scores.length - count];
  let equals = count;
  for (const score of scores) if (score > least) equals--;
  const ids = new Int32Array(count);
  let used = 0;
  for (let id = 0; id < scores.length; id++) {
    if (scores[id] > least || (scores[id] === least && equals-- > 0)) ids[used++] = id;
  }
  return ids;
}

function softmax(scores: Float64Array, ids: Int32Array, temperature: number): Candidates {
  let most = -Infinity;
  for (const id of ids) most = Math.max(most, scores[id]);
  const probabilities = Float64Array.from(ids, (id) => Math.exp((scores[id] - most) / temperature));
  const sum = probabilities.reduce((a, b) => a + b);
  return { ids, probabilities: probabilities.map((p) => p / sum) };
}

/** The fewest likeliest candidates that have probability `share` together; among equals the first. */
function nucleus(candidates: Candidates, share: number): Candidates {
  const { probabilities } = candidates;
  // Those below this have less than 1 − share together, so that the others suffice: few are left to sort.
  const least = (1 - share) / probabilities.length;
  const order = Int32Array.from(probabilities.keys())
    .filter((i) => probabilities[i] >= least)
    .sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  const kept = new Set<number>();
  let sum = 0;
  for (const i of order) {
    if (sum >= share) break;
    kept.add(i);
    sum += probabilities[i];
  }
  return only(candidates, (_, i) => kept.has(i));
}

/** Some of the candidates, with probabilities that sum to 1 again. */
function only(
  { ids, probabilities }: Candidates,
  keeps: (probability: number, i: number) => boolean,
): Candidates {
  const indices = Int32Array.from(ids.keys()).filter((i) => keeps(probabilities[i], i));
  const left = Float64Array.from(indices, (i) => probabilities[i]);
  const sum = left.reduce((a, b) => a + b);
  return { ids: indices.map((i) => ids[i]), probabilities: left.map((p) => p / sum) };
}
