import { evaluating, type Module } from "@gradloom/layers";
import {
  defaultGenerator,
  fromTypedArray,
  Generator,
  noGrad,
  rand,
  type Tensor,
} from "@gradloom/tensor";
import { checkOptions, type GenerateOptions, type Generation } from "./generate-options.ts";
import type { GPT } from "./gpt.ts";
import { bucketOf, type KVCache } from "./kv-cache.ts";
import { requireIds } from "./requirements.ts";
import { nextToken, type Text } from "./sampling.ts";

type Prompts = readonly number[] | readonly (readonly number[])[];

/** What `GPT.generate` does. */
export async function generate(
  model: GPT,
  ids: Prompts,
  options: GenerateOptions,
): Promise<number[] | number[][]> {
  const results = promptsOf(ids).map((prompt) => [...prompt]);
  for await (const step of steps(model, results, options)) {
    for (const [row, id] of step.entries()) if (id !== undefined) results[row].push(id);
  }
  return isBatch(ids) ? results : results[0];
}

/** What `GPT.stream` does. */
export async function* stream(
  model: GPT,
  ids: Prompts,
  options: GenerateOptions,
): AsyncGenerator<number | (number | undefined)[], void, void> {
  for await (const step of steps(model, promptsOf(ids), options)) {
    if (isBatch(ids)) yield step;
    else if (step[0] !== undefined) yield step[0];
  }
}

function isBatch(ids: Prompts): ids is readonly (readonly number[])[] {
  return Array.isArray(ids[0]);
}

function promptsOf(ids: Prompts): readonly (readonly number[])[] {
  requireIds("generate", ids, "a list, or a list of lists");
  return isBatch(ids) ? ids : [ids];
}

/** A text that grows. */
interface Row extends Text {
  readonly ids: number[];
  /** How many of the ids the model does not see any more. */
  forgotten: number;
  readonly chance: Chance;
  isOver: boolean;
}

/** The new ids of each step, by row; undefined where a row has ended. */
async function* steps(
  model: GPT,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): AsyncGenerator<(number | undefined)[], void, void> {
  const generation = checkOptions(prompts, model.maxSeqLen, options);
  const { maxNewTokens, onToken, signal } = generation;
  const rows: Row[] = prompts.map((prompt, i) => ({
    ids: [...prompt],
    promptLength: prompt.length,
    forgotten: 0,
    chance: new Chance(generation, i),
    isOver: false,
  }));
  const reader = new Reader(model, rows, generation.kept);
  for (let step = 1; step <= maxNewTokens && !signal?.aborted; step++) {
    const logits = await reader.next();
    if (signal?.aborted) return;
    const chosen: (number | undefined)[] = [];
    for (const [i, row] of rows.entries()) {
      if (row.isOver) {
        chosen.push(undefined);
        continue;
      }
      const own = logits.subarray(i * model.vocabSize, (i + 1) * model.vocabSize);
      const id = nextToken(own, row, generation, await row.chance.next());
      row.ids.push(id);
      row.isOver = hasEnded(row, generation);
      chosen.push(id);
    }
    for (const [i, id] of chosen.entries()) if (id !== undefined) onToken?.(id, i);
    yield chosen;
    if (rows.every((row) => row.isOver)) return;
  }
}

function hasEnded({ ids, promptLength }: Text, { stops }: Generation): boolean {
  return stops.some((stop) => {
    const start = ids.length - stop.length;
    return start >= promptLength && stop.every((id, i) => ids[start + i] === id);
  });
}

/** Reads what is new in some texts, and gives the logits of what comes next. */
class Reader {
  readonly #model: GPT;
  readonly #rows: readonly Row[];
  readonly #kept: number;
  readonly #cache: KVCache;
  readonly #modules: readonly Module[];

  constructor(model: GPT, rows: readonly Row[], kept: number) {
    this.#model = model;
    this.#rows = rows;
    this.#kept = kept;
    this.#cache = model.createCache({ batchSize: rows.length });
    this.#modules = model.modules();
  }

  /** `[rows, vocabSize]`. Of rows that are over, they mean nothing. */
  async next(): Promise<Float32Array | Float64Array> {
    const { maxSeqLen } = this.#model;
    const isFull = (row: Row) => !row.isOver && row.ids.length - row.forgotten > maxSeqLen;
    if (this.#rows.some(isFull)) {
      for (const row of this.#rows.filter(isFull)) row.forgotten = row.ids.length - this.#kept;
      this.#cache.reset();
    }
    const { lengths } = this.#cache;
    const unread = this.#rows.map(({ ids, forgotten, isOver }, i) => {
      return isOver ? [] : ids.slice(forgotten + lengths[i]);
    });
    const longest = Math.max(...unread.map(({ length }) => length));
    const time = longest === 1 ? 1 : Math.min(bucketOf(longest), maxSeqLen);
    const flat = new Int32Array(unread.length * time);
    for (const [i, ids] of unread.entries()) flat.set(ids, i * time);
    const counts = unread.map(({ length }) => length);
    const ids = fromTypedArray(flat, [unread.length, time]);
    // Only while a step is recorded: whoever trains between two tokens is not disturbed.
    const logits = evaluating(this.#modules, () => noGrad(() => this.#logits(ids, counts)));
    return logits.data() as Promise<Float32Array | Float64Array>;
  }

  #logits(ids: Tensor, counts: readonly number[]): Tensor {
    const features = this.#model.features(ids, { cache: this.#cache, lengths: counts });
    const [batch, time, dModel] = features.shape;
    if (time === 1) return this.#model.project(features.select(1, 0));
    const last = fromTypedArray(
      Int32Array.from(counts, (n) => Math.max(0, n - 1)),
      [batch, 1, 1],
    );
    return this.#model.project(features.gather(last.expand([batch, 1, dModel]), 1).select(1, 0));
  }
}

/** Numbers in [0, 1) for one row, drawn many at a time; none if nothing is left to chance. */
class Chance {
  readonly #generator: Generator | undefined;
  #numbers: Float64Array = new Float64Array(0);
  #used = 0;

  constructor({ seed, temperature }: Generation, row: number) {
    if (temperature === 0) return;
    this.#generator = seed === undefined ? defaultGenerator : new Generator(seed + row);
  }

  async next(): Promise<number> {
    if (this.#generator === undefined) return 0;
    if (this.#used === this.#numbers.length) {
      const drawn = rand([64], { dtype: "float64", generator: this.#generator });
      this.#numbers = Float64Array.from(await drawn.data());
      this.#used = 0;
    }
    return this.#numbers[this.#used++];
  }
}
