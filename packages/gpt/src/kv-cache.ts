import {
  ArgumentError,
  arange,
  fromTypedArray,
  onEachRun,
  ShapeError,
  Tensor,
  watch,
  zeros,
} from "@gradloom/tensor";

/** The keys and values that queries see, and which of them. */
export interface Seen {
  readonly k: Tensor; // [batch, heads, keys, headDim]
  readonly v: Tensor;
  /** `[batch, 1, time, keys]`, true where a query sees a key. */
  readonly mask?: Tensor;
  readonly isCausal: boolean;
}

/** Adds the keys and values of new tokens to those before, and gives what the new tokens see. */
export type Extend = (k: Tensor, v: Tensor) => Seen;

/** How the tokens of one `forward` enter a cache. */
export interface CacheStep {
  /** Where each token stands, `[batch, time]`; undefined where all rows start at 0. */
  readonly positions: Tensor | undefined;
  /** For the attention of a layer. */
  extend(layer: number): Extend;
}

/**
 * The keys and values of the tokens that a model has read, so that each next token costs one step instead of a whole pass.
 * Made by `model.createCache()`; `model.forward(ids, { cache })` adds to it.
 *
 * They are in states that change in place, with room for a few more; where the room ends is one of a few lengths
 * ({@link bucketOf}), and how much of it is used is an input of the step, row by row. So a step compiles something only
 * when there was none yet with that much room.
 */
export class KVCache {
  readonly batchSize: number;
  /** More tokens than this do not fit into a row. */
  readonly maxSeqLen: number;
  readonly #lengths: number[];
  #room = 0;
  /** By layer, `[batch, heads, room, headDim]`. */
  readonly #keys: Tensor[] = [];
  readonly #values: Tensor[] = [];

  /** For models; `model.createCache()` knows the sizes. */
  constructor(batchSize: number, maxSeqLen: number) {
    this.batchSize = batchSize;
    this.maxSeqLen = maxSeqLen;
    this.#lengths = new Array<number>(batchSize).fill(0);
  }

  /** How many tokens each row holds. */
  get lengths(): readonly number[] {
    return [...this.#lengths];
  }

  /** Forgets all tokens, and keeps the room for others. */
  reset(): void {
    this.#lengths.fill(0);
  }

  /** Forgets all but the first tokens of each row. */
  truncate(length: number): void {
    for (const [row, now] of this.#lengths.entries()) this.#lengths[row] = Math.min(now, length);
  }

  /**
   * Makes room for new tokens.
   *
   * @param shape - Of their ids, `[batch, time]`.
   * @param counts - How many of them are real in each row; the others stand behind and are forgotten. Default: all.
   * @throws ShapeError if there is another number of rows. ArgumentError if a row would hold more than `maxSeqLen` tokens, or
   * `counts` has other than a count for each row.
   */
  begin(shape: readonly number[], counts?: readonly number[]): CacheStep {
    const [batch, time] = shape;
    if (batch !== this.batchSize) {
      throw new ShapeError(
        `forward: ids must have a row for each of the cache's ${this.batchSize}, got [${shape.join(", ")}].`,
        { op: "forward", shapes: [shape] },
      );
    }
    const added = counts ?? new Array<number>(batch).fill(time);
    if (added.length !== batch || !added.every((n) => Number.isInteger(n) && n >= 0 && n <= time)) {
      throw new ArgumentError(
        `forward: lengths must be ${batch} integers in [0, ${time}], got ${added.join(", ")}.`,
        { op: "forward" },
      );
    }
    // A compiled function does something else where the tokens stand elsewhere.
    const start = this.#lengths.map((_, row) => watch(() => this.#lengths[row]));
    watch(() => this.#room);
    const end = Math.max(...start.map((length, row) => length + added[row]));
    if (end > this.maxSeqLen) {
      throw new ArgumentError(
        `forward: a sequence must have at most maxSeqLen = ${this.maxSeqLen} tokens, got ${Math.max(...start)} in the cache ` +
          `and up to ${Math.max(...added)} more. Generate with { slidingWindow: true }, or reset() the cache.`,
        { op: "forward" },
      );
    }
    this.#room = Math.max(this.#room, Math.min(bucketOf(end), this.maxSeqLen));
    onEachRun(() => {
      for (const [row, count] of added.entries()) this.#lengths[row] += count;
    });
    if (start.every((length) => length === 0)) {
      return { positions: undefined, extend: (layer) => this.#fill(layer) };
    }
    const first = fromTypedArray(Int32Array.from(start), [batch, 1]);
    const positions = first.add(arange(time)); // [batch, time]
    return { positions, extend: (layer) => this.#append(layer, first, positions) };
  }

  /** The first tokens of all rows, which see each other only. What stands behind a row's end is overwritten later. */
  #fill(layer: number): Extend {
    return (k, v) => {
      this.#grow(layer, k);
      const used = Math.min(k.shape[2], this.#room);
      const behind = this.#room - used;
      const placed = (x: Tensor) => x.narrow(2, 0, used).pad([0, 0, 0, behind]);
      this.#keys[layer].assign(placed(k));
      this.#values[layer].assign(placed(v));
      return { k, v, isCausal: true };
    };
  }

  /** Tokens behind those of each row. They see these, and each other causally. */
  #append(layer: number, first: Tensor, positions: Tensor): Extend {
    return (k, v) => {
      this.#grow(layer, k);
      const [batch, , time] = k.shape;
      const slots = arange(this.#room);
      const isVisible = slots.le(positions.unsqueeze(-1)).unsqueeze(1); // [batch, 1, time, room]
      const offset = slots.sub(first).reshape([batch, 1, this.#room, 1]); // which new token goes to a slot
      const isNew = offset.ge(0).logicalAnd(offset.lt(time));
      // A single token goes to one slot: nothing to look up.
      const chosen = time === 1 ? undefined : offset.clamp(0, time - 1);
      const placed = (x: Tensor, old: Tensor) =>
        isNew.where(chosen === undefined ? x : x.gather(chosen.expand(old.shape), 2), old);
      const keys = this.#keys[layer];
      const values = this.#values[layer];
      keys.assign(placed(k, keys));
      values.assign(placed(v, values));
      return { k: keys, v: values, mask: isVisible, isCausal: false };
    };
  }

  /** Makes a layer's states as long as there is room. */
  #grow(layer: number, { shape, dtype }: Tensor): void {
    const [batch, heads, , headDim] = shape;
    for (const states of [this.#keys, this.#values]) {
      const old = states[layer];
      const missing = this.#room - (old?.shape[2] ?? 0);
      if (missing === 0) continue;
      const longer =
        old?.pad([0, 0, 0, missing]) ?? zeros([batch, heads, missing, headDim], { dtype });
      states[layer] = new Tensor(longer);
    }
  }
}

/** The lengths that shapes may have: 16, 24, 32, 48, 64, 96, …; the first of them that is enough. */
export function bucketOf(length: number): number {
  let size = 16;
  while (size < length) size *= 2;
  const between = (size / 4) * 3;
  return size > 16 && between >= length ? between : size;
}
