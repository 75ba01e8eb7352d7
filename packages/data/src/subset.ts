import { ArgumentError, checkOptions, defaultGenerator, IndexError } from "@gradloom/tensor";
import type { Batch } from "./collate.ts";
import { Dataset, type DatasetModule, getBatch, type Items } from "./dataset.ts";
import { type ItemsOrList, itemsOf } from "./items.ts";
import { Random, type Seeding } from "./random.ts";

/** Some items of a dataset, in an order of their own. */
export class Subset<T> extends Dataset<T> {
  readonly dataset: Items<T>;
  /** Which items, by their indices in the dataset. */
  readonly indices: Int32Array;

  /** @throws ArgumentError for what is no dataset. IndexError if it has no item at one of the indices. */
  constructor(dataset: ItemsOrList<T>, indices: ArrayLike<number>) {
    super();
    this.dataset = itemsOf("Subset", dataset);
    const { length } = this.dataset;
    this.indices = Int32Array.from(indices, (index) => {
      if (Number.isInteger(index) && index >= 0 && index < length) return index;
      throw new IndexError("Subset", index, length);
    });
  }

  get length(): number {
    return this.indices.length;
  }

  get(index: number, seed: number): T | Promise<T> {
    return this.dataset.get(this.indices[index], seed);
  }

  override get module(): DatasetModule | undefined {
    const { module } = this.dataset;
    const inner = module?.indices;
    if (module === undefined) return undefined;
    return { ...module, indices: inner ? this.indices.map((i) => inner[i]) : this.indices };
  }

  override getBatch(indices: Int32Array, seeds: Float64Array): Batch<T> | Promise<Batch<T>> {
    return getBatch(
      this.dataset,
      indices.map((i) => this.indices[i]),
      seeds,
    );
  }
}

/**
 * Cuts a dataset into parts at random: no item is in two.
 *
 * @param lengths - How many items each part gets, all of them together; or fractions that sum to 1, where items left over
 * by rounding go to the first parts, one each.
 * @throws ArgumentError if they do not sum to the length of the dataset, or to 1.
 *
 * @example
 * ```ts
 * const [training, test] = randomSplit(dataset, [0.8, 0.2], { seed: 0 });
 * ```
 */
export function randomSplit<T>(
  dataset: ItemsOrList<T>,
  lengths: readonly number[],
  options: Seeding = {},
): Subset<T>[] {
  checkOptions("randomSplit", options, { seed: true, generator: true });
  const { seed, generator = defaultGenerator } = options;
  const items = itemsOf("randomSplit", dataset);
  const counts = countsOf(lengths, items.length);
  const random = seed === undefined ? Random.of(generator) : new Random(seed);
  const order = random.permutation(items.length);
  let start = 0;
  return counts.map((count) => {
    start += count;
    return new Subset(items, order.subarray(start - count, start));
  });
}

function countsOf(lengths: readonly number[], total: number): readonly number[] {
  const isList = Array.isArray(lengths);
  const sum = isList ? lengths.reduce((a, b) => a + b, 0) : Number.NaN;
  const isValid = isList && lengths.every((length) => length >= 0);
  if (isValid && sum === total && lengths.every(Number.isInteger)) return lengths;
  if (!isValid || !(Math.abs(sum - 1) < 1e-9)) {
    const op = "randomSplit";
    throw new ArgumentError(
      `${op}: lengths must be counts that sum to ${total}, or fractions that sum to 1, got ${isList ? lengths.join(", ") : lengths}.`,
      { op },
    );
  }
  // A fraction such as 0.29 of 100 must be 29, which rounding errors would make 28.
  const counts = lengths.map((fraction) => Math.floor(fraction * total + 1e-9));
  const left = total - counts.reduce((a, b) => a + b, 0);
  return counts.map((count, i) => count + (i < left ? 1 : 0));
}
