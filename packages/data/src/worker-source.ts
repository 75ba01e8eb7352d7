/** What is asked of a worker. */
export interface BatchRequest {
  readonly id: number;
  readonly indices: Int32Array;
  readonly seeds: Float64Array;
  /** Whether items are wanted, for a function that makes a batch of them in the main thread. */
  readonly asItems: boolean;
}

/** What a worker answers. */
export interface BatchReply {
  readonly id: number;
  /** The items, or the batch, with tensors taken apart. */
  readonly value?: unknown;
  /** Whether it is a list of items. */
  readonly isItems?: boolean;
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string };
  /** The item that failed; undefined if it was the dataset itself. */
  readonly item?: number;
}

/** Marks a tensor that was taken apart. */
export const tensorMark = "$gradloom.tensor";

/**
 * What a worker runs, as text: it has to reach a worker without a file of its own, through any bundler. It imports the
 * module of the dataset, and nothing else.
 */
export const workerSource: string = `"use strict";
function serve(dataset, post) {
  // Arrays are copied, because the dataset may keep its own; the copies are handed over.
  async function plain(value, transfers) {
    if (typeof value !== "object" || value === null) return value;
    if (typeof value.data === "function" && typeof value.dtype === "string" && Array.isArray(value.shape)) {
      const data = await value.data();
      transfers.add(data.buffer);
      return { "${tensorMark}": data, shape: value.shape, dtype: value.dtype };
    }
    if (ArrayBuffer.isView(value) && typeof value.slice === "function") {
      const copy = new value.constructor(value);
      transfers.add(copy.buffer);
      return copy;
    }
    if (Array.isArray(value)) return Promise.all(value.map((entry) => plain(entry, transfers)));
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return value;
    const entries = Object.entries(value).map(async ([key, entry]) => [key, await plain(entry, transfers)]);
    return Object.fromEntries(await Promise.all(entries));
  }
  return async ({ id, indices, seeds, asItems }) => {
    let item;
    try {
      const transfers = new Set();
      const source = await dataset;
      const isItems = asItems || typeof source.getBatch !== "function";
      const one = async (index, i) => {
        try {
          return await source.get(index, seeds[i]);
        } catch (error) {
          item ??= index;
          throw error;
        }
      };
      const value = isItems
        ? await Promise.all(Array.from(indices, one))
        : await source.getBatch(indices, seeds);
      post({ id, isItems, value: await plain(value, transfers) }, [...transfers]);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      post({ id, item: item ?? error.item, error: { name: error.name, message: error.message, stack: error.stack } });
    }
  };
}
async function load({ url, factory, args }) {
  return (await import(url))[factory](...args);
}
if (typeof require === "function") {
  const { parentPort, workerData } = require("node:worker_threads");
  const dataset = load(workerData);
  dataset.catch(() => {});
  const answer = serve(dataset, (reply, transfers) => parentPort.postMessage(reply, transfers));
  parentPort.on("message", answer);
} else {
  let answer;
  onmessage = ({ data }) => {
    if (answer === undefined) {
      const dataset = load(data);
      dataset.catch(() => {});
      answer = serve(dataset, (reply, transfers) => postMessage(reply, transfers ?? []));
    } else answer(data);
  };
}
`;
