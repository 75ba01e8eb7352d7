import { refusal } from "./argument.ts";
import { defaultCollate } from "./collate.ts";
import type { DataLoaderOptions } from "./data-loader.ts";
import {
  type DatasetModule,
  getBatch,
  getItems,
  type Items,
  type IterableDataset,
} from "./dataset.ts";
import { type ItemsOrList, itemsOf } from "./items.ts";
import { ahead } from "./prefetch.ts";
import { itemSeeds, Random } from "./random.ts";
import { inOrder, type Sampler, shuffled } from "./sampler.ts";
import { WorkerPool } from "./worker-pool.ts";

/** Where the batches of a loader come from. */
export interface BatchSource<B> {
  /** Batches in an epoch, if that is known. */
  readonly length: number | undefined;
  /** The batches of an epoch from one on. */
  batches(seed: number, epoch: number, from: number): AsyncGenerator<B, void, undefined>;
}

type Options<T, B> = DataLoaderOptions<T, B> & {
  readonly batchSize: number;
  readonly numWorkers: number;
  readonly prefetchFactor: number;
};

const op = "DataLoader";

type Collate<T, B> = (items: T[]) => B | Promise<B>;

/** @throws ArgumentError if options do not go with each other, or with the dataset. */
export function sourceOf<T, B>(
  dataset: ItemsOrList<T> | IterableDataset<T>,
  options: Options<T, B>,
): BatchSource<B> {
  if (isStream(dataset)) return streamed(dataset, options);
  return indexed(itemsOf(op, dataset, ", or be an async iterable"), options);
}

function isStream<T>(dataset: ItemsOrList<T> | IterableDataset<T>): dataset is IterableDataset<T> {
  return Symbol.asyncIterator in Object(dataset) && !("get" in dataset);
}

/** Which items a batch has, and what is random about them. */
interface BatchPlan {
  readonly indices: Int32Array;
  readonly seeds: Float64Array;
}

function indexed<T, B>(items: Items<T>, options: Options<T, B>): BatchSource<B> {
  const { batchSize, shuffle = false, sampler, dropLast = false } = options;
  const { numWorkers, prefetchFactor } = options;
  if (sampler !== undefined && typeof sampler?.order !== "function") {
    throw refusal(op, `sampler must have length and order(), got ${sampler}`);
  }
  if (shuffle && sampler !== undefined) {
    throw refusal(op, "shuffle must be left to the sampler, got both");
  }
  const chosen: Sampler = sampler ?? (shuffle ? shuffled(items.length) : inOrder(items.length));
  const count = (length: number) =>
    dropLast ? Math.floor(length / batchSize) : Math.ceil(length / batchSize);
  function* plans(seed: number, epoch: number, from: number): Generator<BatchPlan> {
    const order = Int32Array.from(chosen.order(new Random(seed, epoch)));
    const seedAt = itemSeeds(seed, epoch);
    const end = count(order.length);
    for (let batch = from; batch < end; batch++) {
      const start = batch * batchSize;
      const indices = order.slice(start, start + batchSize);
      const seeds = new Float64Array(indices.length);
      for (let i = 0; i < seeds.length; i++) seeds[i] = seedAt(start + i);
      yield { indices, seeds };
    }
  }
  const length = count(chosen.length);
  if (numWorkers === 0) {
    return {
      length,
      batches(...place) {
        const made = inThisThread(items, plans(...place), options.collate);
        return prefetchFactor === 0 ? made : ahead(made, prefetchFactor);
      },
    };
  }
  const { module } = items;
  if (module === undefined) {
    throw refusal(
      op,
      "a dataset for workers must be one of loadDataset, or a subset of one, because nothing else reaches another thread, got another one",
    );
  }
  return {
    length,
    batches: (...place) => inWorkers(module, plans(...place), options),
  };
}

async function* inThisThread<T, B>(
  items: Items<T>,
  plans: Iterable<BatchPlan>,
  collate: Collate<T, B> | undefined,
): AsyncGenerator<B, void, undefined> {
  for (const { indices, seeds } of plans) {
    yield collate === undefined
      ? // Without `collate`, B is Batch<T>.
        ((await getBatch(items, indices, seeds)) as B)
      : await collate(await getItems(items, indices, seeds));
  }
}

async function* inWorkers<T, B>(
  module: DatasetModule,
  plans: Iterable<BatchPlan>,
  { numWorkers, prefetchFactor, collate }: Options<T, B>,
): AsyncGenerator<B, void, undefined> {
  const pool = new WorkerPool(module, numWorkers);
  const { indices: chosen } = module;
  const made = function* () {
    for (const { indices, seeds } of plans) {
      yield pool.request({
        indices: chosen === undefined ? indices : indices.map((i) => chosen[i]),
        seeds,
        asItems: collate !== undefined,
      });
    }
  };
  const requests = made();
  const pending: ReturnType<WorkerPool["request"]>[] = [];
  try {
    for (;;) {
      // The one that is handed over next, and as many as may be made while it is used.
      while (pending.length <= numWorkers * prefetchFactor) {
        const { done, value } = requests.next();
        if (done) break;
        pending.push(value);
      }
      const next = pending.shift();
      if (next === undefined) return;
      const { value, isItems } = await pool.wait(next);
      yield isItems ? await collated(value as T[], collate) : (value as B);
    }
  } finally {
    await pool.close();
  }
}

async function collated<T, B>(items: T[], collate: Collate<T, B> | undefined): Promise<B> {
  return collate === undefined ? ((await defaultCollate(items)) as B) : collate(items);
}

function streamed<T, B>(dataset: IterableDataset<T>, options: Options<T, B>): BatchSource<B> {
  const { shuffle = false, sampler, numWorkers, prefetchFactor } = options;
  if (shuffle || sampler !== undefined || numWorkers > 0) {
    throw refusal(
      op,
      "a dataset without indices must be taken in its order and by this thread, got shuffle, a sampler or numWorkers",
    );
  }
  return {
    length: undefined,
    batches(_seed, _epoch, from) {
      const made = inBatches(dataset, from, options);
      return prefetchFactor === 0 ? made : ahead(made, prefetchFactor);
    },
  };
}

async function* inBatches<T, B>(
  dataset: IterableDataset<T>,
  from: number,
  { batchSize, dropLast = false, collate }: Options<T, B>,
): AsyncGenerator<B, void, undefined> {
  let toSkip = from * batchSize;
  let items: T[] = [];
  for await (const item of dataset) {
    if (toSkip > 0) {
      toSkip -= 1;
      continue;
    }
    items.push(item);
    if (items.length < batchSize) continue;
    yield await collated(items, collate);
    items = [];
  }
  if (items.length > 0 && !dropLast) yield await collated(items, collate);
}
