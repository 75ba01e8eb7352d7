import { arange, noGrad, realize, StateError, Tensor, zeros } from "@gradloom/tensor";
import type { Decoder } from "./decoder.ts";
import type { KeysAndValues } from "./multi-head-attention.ts";

/** Where the next positions of a sequence are, and what they do not see. */
export interface CachedInputs {
  /** The first of them. A number of the run, not of the plan: the same plan serves all positions. */
  readonly start: number | Tensor;
  /** `[queries, capacity]`; true hides: what lies behind a position, and what has not been written yet. */
  readonly mask: Tensor;
  /** `[batch, memory]`; true is padding. */
  readonly keyPaddingMask: Tensor | undefined;
}

/** The keys and values that a layer has read: of its own sequence, in a place of fixed size, and of the memory. */
export class LayerCache {
  readonly keys: Tensor; // a state, [batch, heads, capacity, features]
  readonly values: Tensor;
  readonly memory: KeysAndValues;

  constructor(keys: Tensor, values: Tensor, memory: KeysAndValues) {
    this.keys = new Tensor(keys);
    this.values = new Tensor(values);
    this.memory = memory;
  }

  /** Writes the keys and values of the next positions, and gives all. */
  append([keys, values]: KeysAndValues, start: number | Tensor): KeysAndValues {
    this.keys.assign(written(this.keys, keys, start));
    this.values.assign(written(this.values, values, start));
    return [this.keys, this.values];
  }

  /** Takes for each sequence what another has read: `[batch]` of their numbers. */
  reorder(from: Tensor): void {
    this.keys.assign(this.keys.indexSelect(from, 0));
    this.values.assign(this.values.indexSelect(from, 0));
  }

  /** The same with room for more positions. */
  grown(capacity: number): LayerCache {
    const more = (x: Tensor) => x.detach().pad([0, 0, 0, capacity - x.shape[2]]);
    return new LayerCache(more(this.keys), more(this.values), this.memory);
  }
}

/** `place`, where positions from `start` on hold `x`. The whole is written, so that the plan does not depend on `start`. */
function written(place: Tensor, x: Tensor, start: number | Tensor): Tensor {
  const time = x.shape[2];
  const offset = arange(place.shape[2]).sub(start); // from the first of the new ones
  const rows = time === 1 ? x : x.indexSelect(offset.clamp({ min: 0, max: time - 1 }), 2);
  const isNew = offset.ge(0).logicalAnd(offset.lt(time));
  return isNew.unsqueeze(-1).where(rows, place.detach());
}

/** What a decoder remembers of a batch of sequences between two calls. */
export class DecoderCache {
  #layers: readonly LayerCache[] = [];
  #memory: Tensor | undefined;
  #memoryKeyPaddingMask: Tensor | undefined;
  #position = 0;
  #capacity = 0;
  readonly #leastCapacity: number;

  /** @param capacity - Positions to make room for at first; it is doubled when they are used. Default 32. */
  constructor(capacity: number = 32) {
    this.#leastCapacity = capacity;
  }

  /** How many positions have been read. */
  get position(): number {
    return this.#position;
  }

  /** How many there is room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** A cache for each layer. */
  get layers(): readonly LayerCache[] {
    return this.#layers;
  }

  /** What `decoder.continue` needs for some positions from `start` on. */
  inputs(start: number | Tensor, time: number): CachedInputs {
    const last = arange(time).add(start).unsqueeze(1);
    const mask = arange(this.#capacity).gt(last);
    return { start, mask, keyPaddingMask: this.#memoryKeyPaddingMask };
  }

  /**
   * Makes room for so many more positions. The first time, the memory is read as well.
   *
   * @returns Whether there are new places: what was compiled for the old ones is of no use then.
   * @throws StateError if the memory is not that of the calls before.
   */
  reserve(
    decoder: Decoder,
    memory: Tensor,
    memoryKeyPaddingMask: Tensor | undefined,
    time: number,
  ): boolean {
    if (this.#memory !== undefined && this.#memory !== memory) {
      throw new StateError(
        "decode: memory must be the one that the cache has read, got another. Make a new cache for it.",
        { op: "decode" },
      );
    }
    const needed = this.#position + time;
    if (this.#memory !== undefined && needed <= this.#capacity) return false;
    let capacity = Math.max(this.#capacity, this.#leastCapacity);
    while (capacity < needed) capacity *= 2;
    this.#layers = noGrad(() =>
      this.#memory === undefined
        ? readMemory(decoder, memory, capacity)
        : this.#layers.map((layer) => layer.grown(capacity)),
    );
    realize(...this.#layers.flatMap(({ keys, values, memory }) => [keys, values, ...memory]));
    this.#memory = memory;
    this.#memoryKeyPaddingMask = memoryKeyPaddingMask;
    this.#capacity = capacity;
    return true;
  }

  /** Takes for each sequence what another has read: `[batch]` of their numbers. */
  reorder(from: Tensor): void {
    for (const layer of this.#layers) layer.reorder(from);
  }

  /** Counts positions that have been read. */
  advance(time: number): void {
    this.#position += time;
  }
}

function readMemory(decoder: Decoder, memory: Tensor, capacity: number): LayerCache[] {
  return [...decoder.layers].map(({ multiheadAttn }) => {
    const { numHeads, dModel } = multiheadAttn;
    const shape = [memory.shape[0], numHeads, capacity, dModel / numHeads];
    const empty = () => zeros(shape, { dtype: memory.dtype });
    return new LayerCache(empty(), empty(), multiheadAttn.keysAndValues(memory, memory));
  });
}
