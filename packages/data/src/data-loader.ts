import { checkOptions, defaultGenerator, StateError } from "@gradloom/tensor";
import { refusal, requireInteger } from "./argument.ts";
import { type BatchSource, sourceOf } from "./batch-source.ts";
import type { Batch } from "./collate.ts";
import type { Items, IterableDataset } from "./dataset.ts";
import { Random } from "./random.ts";
import type { Sampler } from "./sampler.ts";

/** Options of {@link DataLoader}. */
export interface DataLoaderOptions<T, B = Batch<T>> {
  /** Items in a batch. Default: 1. */
  readonly batchSize?: number;
  /** Whether each epoch has an order of its own. Default: false. */
  readonly shuffle?: boolean;
  /** Chooses the items instead. */
  readonly sampler?: Sampler;
  /** Whether a last batch that is not full is left out. Default: false. */
  readonly dropLast?: boolean;
  /** Fixes the orders of all epochs. Default: one that `manualSeed` fixes. */
  readonly seed?: number;
  /** Makes a batch of items. Default: `defaultCollate`. */
  readonly collate?: (items: T[]) => B | Promise<B>;
  /** Worker threads that make the batches, of a dataset that `loadDataset` has made. Default: 0, none. */
  readonly numWorkers?: number;
  /** How many batches are made in advance by each worker; without workers, in all. Default: 2; without workers 0. */
  readonly prefetchFactor?: number;
}

/** Where a {@link DataLoader} is: what a checkpoint keeps. */
export interface DataLoaderState {
  /** What all orders follow from; null before it has been drawn. */
  readonly seed: number | null;
  /** Epochs before the current one. */
  readonly epoch: number;
  /** Batches of the current epoch that have been taken. */
  readonly batch: number;
  readonly batchSize: number;
}

/** How long the consumer had to wait. */
export interface DataLoaderStats {
  /** Batches taken. */
  readonly batches: number;
  /** Milliseconds between asking for a batch and getting it, in total. */
  readonly waited: number;
}

/**
 * The batches of a dataset, epoch by epoch: each iteration is one.
 *
 * The order of an epoch follows from the seed and the number of the epoch alone. So a loader whose state was kept by
 * `saveCheckpoint` goes on with the very batch that comes next, also in the middle of an epoch: `loadStateDict` makes the
 * next iteration the rest of the interrupted one. Batches that were made in advance but not taken do not count as taken.
 *
 * @throws ArgumentError if an option is out of range, or does not go with another one.
 *
 * @example
 * ```ts
 * const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 64, shuffle: true, seed: 0 });
 * for (let epoch = 0; epoch < 10; epoch++) {
 *   for await (const [x, y] of loader) { … }
 * }
 * ```
 */
export class DataLoader<T, B = Batch<T>> {
  readonly batchSize: number;
  readonly #source: BatchSource<B>;
  #seed: number | undefined;
  /** Of the latest iteration. */
  #position = { epoch: 0, batch: 0 };
  #isResuming = true;
  #stats = { batches: 0, waited: 0 };

  constructor(
    dataset: Items<T> | IterableDataset<T> | readonly T[],
    options: DataLoaderOptions<T, B> = {},
  ) {
    checkOptions("DataLoader", options, {
      batchSize: true,
      shuffle: true,
      sampler: true,
      dropLast: true,
      seed: true,
      collate: true,
      numWorkers: true,
      prefetchFactor: true,
    });
    const { batchSize = 1, seed, numWorkers = 0 } = options;
    const { prefetchFactor = numWorkers === 0 ? 0 : 2 } = options;
    requireInteger("DataLoader", "batchSize", batchSize, 1);
    requireInteger("DataLoader", "numWorkers", numWorkers, 0);
    requireInteger("DataLoader", "prefetchFactor", prefetchFactor, numWorkers === 0 ? 0 : 1);
    if (seed !== undefined) requireInteger("DataLoader", "seed", seed, Number.MIN_SAFE_INTEGER);
    const { collate } = options;
    if (collate !== undefined && typeof collate !== "function") {
      throw refusal("DataLoader", `collate must be a function of a list of items, got ${collate}`);
    }
    this.batchSize = batchSize;
    this.#seed = seed;
    this.#source = sourceOf(dataset, { ...options, batchSize, numWorkers, prefetchFactor });
  }

  /** Batches in an epoch; undefined if the dataset does not know its length. */
  get length(): number | undefined {
    return this.#source.length;
  }

  /** What the latest iteration has cost the consumer. */
  get stats(): DataLoaderStats {
    return { ...this.#stats };
  }

  /** Where the consumer is: after the last batch that was taken. */
  stateDict(): DataLoaderState {
    const { batchSize } = this;
    return { seed: this.#seed ?? null, ...this.#position, batchSize };
  }

  /**
   * Goes on where another loader of the same data, or this one, was. An iteration that is under way is not affected.
   *
   * @throws StateError if it is not the state of a loader, or the batches of a begun epoch had another size.
   */
  loadStateDict(state: DataLoaderState): void {
    const { seed, epoch, batch, batchSize } = state ?? {};
    const refuse = (text: string) =>
      new StateError(`DataLoader: the state must ${text}.`, { op: "DataLoader" });
    const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
    if (!isCount(epoch) || !isCount(batch) || (seed !== null && !Number.isSafeInteger(seed))) {
      throw refuse(`have a seed, an epoch and a batch, got ${JSON.stringify(state)}`);
    }
    if (batch > 0 && batchSize !== this.batchSize) {
      throw refuse(
        `be of batches of ${this.batchSize}, got ${batch} batches of ${batchSize}. Resume with the batch size of the run, or at the end of an epoch`,
      );
    }
    if (seed !== null) this.#seed = seed;
    this.#position = { epoch, batch };
    this.#isResuming = true;
  }

  /** The batches of the next epoch, or those that are left of the one that `loadStateDict` has led into. */
  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    this.#seed ??= Random.of(defaultGenerator).seed();
    const { epoch, batch } = this.#position;
    // A new iteration begins a new epoch, unless the last one was never begun.
    const position =
      this.#isResuming || batch === 0 ? { epoch, batch } : { epoch: epoch + 1, batch: 0 };
    const stats = { batches: 0, waited: 0 };
    this.#position = position;
    this.#isResuming = false;
    this.#stats = stats;
    const batches = this.#source.batches(this.#seed, position.epoch, position.batch);
    try {
      for (;;) {
        const start = performance.now();
        const { done, value } = await batches.next();
        stats.waited += performance.now() - start;
        if (done) break;
        stats.batches += 1;
        position.batch += 1;
        yield value;
      }
      position.epoch += 1;
      position.batch = 0;
    } finally {
      await batches.return();
    }
  }
}
