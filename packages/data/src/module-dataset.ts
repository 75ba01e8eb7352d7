import type { Batch } from "./collate.ts";
import { DataError } from "./data-error.ts";
import { Dataset, type DatasetModule, getBatch, type Items } from "./dataset.ts";

/** Options of {@link loadDataset}. */
export interface LoadDatasetOptions {
  /** The name of the export that makes the dataset. Default: the default export. */
  readonly factory?: string;
  /** What it is called with; it has to be such that it can be posted to a worker. */
  readonly args?: readonly unknown[];
}

/** A dataset that a module makes, so that workers can make it, too. */
class ModuleDataset<T> extends Dataset<T> {
  readonly #module: DatasetModule;
  readonly #items: Items<T>;

  constructor(items: Items<T>, module: DatasetModule) {
    super();
    this.#items = items;
    this.#module = module;
  }

  override get module(): DatasetModule {
    return this.#module;
  }

  get length(): number {
    return this.#items.length;
  }

  get(index: number, seed: number): T | Promise<T> {
    return this.#items.get(index, seed);
  }

  override getBatch(indices: Int32Array, seeds: Float64Array): Batch<T> | Promise<Batch<T>> {
    return getBatch(this.#items, indices, seeds);
  }
}

/**
 * A dataset that worker threads can make as well: what a `DataLoader` with `numWorkers` needs. Objects and functions do
 * not cross threads, so the dataset is named: by a module and the function in it that makes one.
 *
 * @param module - The URL of the module; of a file next to this one: `new URL("./pictures.js", import.meta.url)`.
 * @throws DataError if the module cannot be loaded, or does not have the function, or that makes no dataset.
 *
 * @example
 * ```ts
 * // pictures.js: export function pictures(folder) { return new Pictures(folder); }
 * const dataset = await loadDataset<Picture>(new URL("./pictures.js", import.meta.url), {
 *   factory: "pictures",
 *   args: ["training"],
 * });
 * const loader = new DataLoader(dataset, { batchSize: 32, shuffle: true, numWorkers: 2 });
 * ```
 */
export async function loadDataset<T>(
  module: string | { readonly href: string },
  { factory = "default", args = [] }: LoadDatasetOptions = {},
): Promise<Dataset<T>> {
  const op = "loadDataset";
  const url = typeof module === "string" ? module : module.href;
  const refuse = (rule: string, cause?: unknown) => {
    const got = cause instanceof Error ? cause.message : String(cause);
    return new DataError(`${op}: the module ${url} must ${rule}, got ${got}.`, { op, cause });
  };
  let items: unknown;
  try {
    const exports = (await import(/* @vite-ignore */ url)) as Readonly<Record<string, unknown>>;
    const make = exports[factory];
    if (typeof make !== "function") {
      throw refuse(`export a function ${factory}`, Object.keys(exports).join(", ") || "nothing");
    }
    items = await make(...args);
  } catch (error) {
    throw error instanceof DataError ? error : refuse("make a dataset", error);
  }
  if (!isItems<T>(items)) throw refuse("make an object with length and get", typeof items);
  return new ModuleDataset(items, { url, factory, args });
}

function isItems<T>(value: unknown): value is Items<T> {
  if (typeof value !== "object" || value === null) return false;
  return "length" in value && "get" in value && typeof value.get === "function";
}
