import { type Batch, defaultCollate } from "./collate.ts";
import { DataError } from "./data-error.ts";

/**
 * Items by their index. Extend it, or pass any object with `length` and `get`.
 *
 * @example
 * ```ts
 * class Squares extends Dataset<[number, number]> {
 *   readonly length = 100;
 *   get(index: number): [number, number] {
 *     return [index, index * index];
 *   }
 * }
 * ```
 */
export abstract class Dataset<T> {
  /** How many items there are. */
  abstract readonly length: number;

  /**
   * The item at an index, at once or later.
   *
   * @param seed - What everything random about this item in this epoch has to follow from: `new Random(seed)`. Then a
   * run can be repeated, and resumed, with any number of workers.
   */
  abstract get(index: number, seed: number): T | Promise<T>;

  /** How a worker gets this dataset, if it can: see `loadDataset`. */
  get module(): DatasetModule | undefined {
    return undefined;
  }

  /** Items as a batch. Override it where a whole batch is made faster than its items one by one. */
  getBatch(indices: Int32Array, seeds: Float64Array): Batch<T> | Promise<Batch<T>> {
    return collateItems(this, indices, seeds);
  }
}

/** A dataset by the name of what makes it. */
export interface DatasetModule {
  readonly url: string;
  /** The export that makes it. */
  readonly factory: string;
  readonly args: readonly unknown[];
  /** Which items of it, if not all in their order. */
  readonly indices?: Int32Array;
}

/** What is asked of a dataset. */
export type Items<T> = Pick<Dataset<T>, "length" | "get"> &
  Partial<Pick<Dataset<T>, "getBatch" | "module">>;

/**
 * Items one after the other, for data without a length or without access by index: a stream, a log, a generator. Each
 * iteration begins with the first item again.
 *
 * @example
 * ```ts
 * class Lines extends IterableDataset<string> {
 *   async *[Symbol.asyncIterator](): AsyncGenerator<string> {
 *     yield* readLines("corpus.txt");
 *   }
 * }
 * ```
 */
export abstract class IterableDataset<T> {
  abstract [Symbol.asyncIterator](): AsyncIterator<T>;
}

/** The items at some indices. @throws DataError which item failed, with what was thrown as its cause. */
export function getItems<T>(
  dataset: Items<T>,
  indices: Int32Array,
  seeds: Float64Array,
): Promise<T[]> {
  return Promise.all(
    Array.from(indices, async (index, i) => {
      try {
        return await dataset.get(index, seeds[i]);
      } catch (error) {
        throw itemError(nameOf(dataset), index, error);
      }
    }),
  );
}

/** A batch by way of its items. */
async function collateItems<T>(
  dataset: Items<T>,
  indices: Int32Array,
  seeds: Float64Array,
): Promise<Batch<T>> {
  return defaultCollate(await getItems(dataset, indices, seeds));
}

/** A batch in the way that the dataset prefers. */
export function getBatch<T>(
  dataset: Items<T>,
  indices: Int32Array,
  seeds: Float64Array,
): Batch<T> | Promise<Batch<T>> {
  return dataset.getBatch === undefined
    ? collateItems(dataset, indices, seeds)
    : dataset.getBatch(indices, seeds);
}

/** The name of a dataset's class, for messages. */
function nameOf(dataset: object): string {
  const name = dataset.constructor?.name ?? "Object";
  return name === "Object" || name === "Array" ? "the dataset" : name;
}

/** The error for an item that could not be made. */
export function itemError(dataset: string, item: number, cause: unknown, where = ""): DataError {
  if (cause instanceof DataError && cause.item !== undefined) return cause;
  const message = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new DataError(
    `DataLoader: item ${item} of ${dataset} must be readable${where}, got ${message}`,
    { op: "DataLoader", item, cause },
  );
}
