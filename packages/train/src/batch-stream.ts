import type { Stateful } from "@gradloom/checkpoint";
import { type Batch, type Batches, checkBatches } from "./batch.ts";

/** Batches one after the other, over several passes, from any place on. */
export class BatchStream<Input, Target> {
  readonly #source: Batches<Input, Target>;
  #iterator: Iterator<Batch<Input, Target>> | AsyncIterator<Batch<Input, Target>> | undefined;
  #toSkip = 0;
  /** How many batches of the present pass have been taken. */
  position: number = 0;
  /** How long somebody has waited for batches, in milliseconds. */
  waited: number = 0;

  /** @throws ArgumentError unless the source can be iterated. */
  constructor(op: string, source: Batches<Input, Target>) {
    checkBatches(op, source);
    this.#source = source;
  }

  /** The source itself, if it knows where it is. */
  get stateful(): Stateful | undefined {
    return isStateful(this.#source) ? this.#source : undefined;
  }

  /** How many batches a pass has, if the source says so. */
  get length(): number | undefined {
    const { length } = this.#source as { length?: unknown };
    return typeof length === "number" ? length : undefined;
  }

  /** Goes to a place in a pass. A source that knows where it is has been told already; in another, batches are skipped. */
  seek(position: number): void {
    this.position = position;
    this.#toSkip = this.stateful === undefined ? position : 0;
  }

  /** The next batch, or `undefined` once at the end of each pass. */
  async next(): Promise<Batch<Input, Target> | undefined> {
    const start = performance.now();
    this.#iterator ??= iterate(this.#source);
    for (; this.#toSkip > 0; this.#toSkip--) {
      if ((await this.#iterator.next()).done) break;
    }
    const result = this.#iterator.next();
    const { done, value } = result instanceof Promise ? await result : result;
    this.waited += performance.now() - start;
    if (done) {
      this.#iterator = undefined;
      this.#toSkip = 0;
      this.position = 0;
      return undefined;
    }
    this.position += 1;
    return value;
  }

  /** Lets the source know that nobody wants the rest of the pass. */
  async close(): Promise<void> {
    await this.#iterator?.return?.();
    this.#iterator = undefined;
  }
}

function iterate<B>(source: Iterable<B> | AsyncIterable<B>): Iterator<B> | AsyncIterator<B> {
  return Symbol.asyncIterator in source
    ? source[Symbol.asyncIterator]()
    : source[Symbol.iterator]();
}

/** Tells data that knows where it is. */
export function isStateful(value: unknown): value is Stateful {
  return (
    typeof value === "object" && value !== null && "stateDict" in value && "loadStateDict" in value
  );
}
