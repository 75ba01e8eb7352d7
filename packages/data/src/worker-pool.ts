import { fromTypedArray, type Tensor, type TypedArray } from "@gradloom/tensor";
import { DataError } from "./data-error.ts";
import { type DatasetModule, itemError } from "./dataset.ts";
import { type BatchReply, type BatchRequest, tensorMark } from "./worker-source.ts";
import { startWorker, type WorkerThread } from "./worker-thread.ts";

/** What came of a request. */
export interface Made {
  readonly value: unknown;
  readonly isItems: boolean;
}

interface Member {
  readonly thread: WorkerThread;
  readonly pending: Map<number, (reply: BatchReply | DataError) => void>;
}

/** Workers that have the same dataset and make batches of it. */
export class WorkerPool {
  readonly #module: DatasetModule;
  readonly #members: readonly Member[];
  #requests = 0;
  #isClosed = false;

  constructor(module: DatasetModule, count: number) {
    this.#module = module;
    this.#members = Array.from({ length: count }, (_, i) => this.#start(i));
  }

  #start(worker: number): Member {
    const pending: Member["pending"] = new Map();
    const onReply = (reply: BatchReply) => {
      pending.get(reply.id)?.(reply);
      pending.delete(reply.id);
    };
    const onEnd = (reason: unknown) => {
      const got = reason instanceof Error ? reason.message : String(reason);
      const error = new DataError(
        `DataLoader: worker ${worker} must live as long as the iteration, got ${got}. Its dataset is ${this.#module.url}.`,
        { op: "DataLoader", cause: reason },
      );
      for (const settle of pending.values()) settle(error);
      pending.clear();
    };
    return { thread: startWorker(this.#module, onReply, onEnd), pending };
  }

  /** Has a batch made by the worker that has least to do. */
  request(request: Omit<BatchRequest, "id">): Promise<Made> {
    const id = this.#requests++;
    const idle = this.#members.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
    const made = new Promise<Made>((resolve, reject) => {
      idle.pending.set(id, (reply) => {
        if (reply instanceof DataError) return reject(reply);
        if (reply.error !== undefined) return reject(this.#failure(reply));
        resolve({ value: revived(reply.value), isItems: reply.isItems ?? false });
      });
    });
    // A failure is thrown when its turn comes; until then it is not unhandled.
    made.catch(() => {});
    idle.thread.post({ id, ...request });
    return made;
  }

  /** Waits, which keeps the process alive; nothing else here does. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    for (const { thread } of this.#members) thread.hold(true);
    try {
      return await promise;
    } finally {
      if (!this.#isClosed) for (const { thread } of this.#members) thread.hold(false);
    }
  }

  /** Ends the workers. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#members.map(({ thread }) => thread.terminate()));
  }

  #failure({ error, item }: BatchReply): DataError {
    const { url, factory } = this.#module;
    const cause = new Error(error?.message);
    cause.name = error?.name ?? "Error";
    if (error?.stack !== undefined) cause.stack = error.stack;
    if (item !== undefined) return itemError(`${factory} of ${url}`, item, cause);
    return new DataError(
      `DataLoader: the dataset ${factory} of ${url} must work in a worker, got ${cause.name}: ${cause.message}`,
      { op: "DataLoader", cause },
    );
  }
}

/** Puts tensors together again. */
function revived(value: unknown): unknown {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(revived);
  if (isTakenApart(value)) {
    return fromTypedArray(value[tensorMark], value.shape, { dtype: value.dtype });
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, revived(entry)]));
}

interface TakenApart {
  readonly [tensorMark]: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: Tensor["dtype"];
}

function isTakenApart(value: object): value is TakenApart {
  return Object.hasOwn(value, tensorMark);
}
