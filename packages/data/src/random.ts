import type { Generator } from "@gradloom/tensor";
import { requireInteger } from "./argument.ts";

/** What fixes something random: a number, or a generator that goes on. */
export interface Seeding {
  /** Any integer. Default: drawn from `generator`. */
  readonly seed?: number;
  /** Default: the one that `manualSeed` sets. */
  readonly generator?: Generator;
}

/**
 * Random numbers at once, in JavaScript, for what happens to single items: the same for the same seeds on every
 * platform. Tensors of random numbers are made by `rand` and `randn`.
 *
 * - Method: xoshiro128**; Blackman & Vigna 2021, Scrambled linear pseudorandom number generators,
 *   https://doi.org/10.1145/3460772
 *
 * @example
 * ```ts
 * const random = new Random(42);
 * const angle = random.uniform(-10, 10);
 * ```
 */
export class Random {
  readonly #state = Int32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344);

  /** @param seeds - Integers. Other ones, also in another order, give other numbers. */
  constructor(...seeds: readonly number[]) {
    const state = this.#state;
    for (const seed of seeds) {
      requireInteger("Random", "a seed", seed, Number.MIN_SAFE_INTEGER);
      for (const word of [seed | 0, Math.floor(seed / 2 ** 32) | 0]) {
        for (let i = 0; i < 4; i++) state[i] = mixed(state[i] ^ mixed(word, i), state[(i + 3) & 3]);
      }
    }
    // The one state that the generator cannot leave.
    if (state.every((word) => word === 0)) state[0] = 1;
  }

  /** What is random about the next tensor of a generator: numbers for JavaScript instead. */
  static of(generator: Generator): Random {
    const { key0, key1, stream } = generator.draw();
    return new Random(key0, key1, stream);
  }

  /** 32 random bits. */
  bits(): number {
    const s = this.#state;
    const result = Math.imul(rotated(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 11);
    return result;
  }

  /** Uniform on [low, high); without arguments on [0, 1). */
  uniform(low = 0, high = 1): number {
    const unit = ((this.bits() >>> 5) * 2 ** 26 + (this.bits() >>> 6)) / 2 ** 53;
    return low + (high - low) * unit;
  }

  /** Uniform on the integers `0, …, limit - 1`, for a limit of at most 2³². */
  integer(limit: number): number {
    // What is left above the last multiple of `limit` would favour small numbers.
    const end = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const word = this.bits();
      if (word < end) return word % limit;
    }
  }

  /** Normal with mean 0 and variance 1. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** The integers `0, …, n - 1` in random order; every order is equally likely. */
  permutation(n: number): Int32Array {
    const order = new Int32Array(n);
    for (let i = 1; i < n; i++) order[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const last = order[i];
      order[i] = order[j];
      order[j] = last;
    }
    return order;
  }

  /** An integer below 2⁵³: the seed of something else. */
  seed(): number {
    return (this.bits() >>> 11) * 2 ** 32 + this.bits();
  }
}

/** The seeds of the items of an epoch, by their positions in it: cheap, since there is one for each item. */
export function itemSeeds(seed: number, epoch: number): (position: number) => number {
  const random = new Random(seed, epoch, 1);
  const high = random.bits();
  const low = random.bits();
  return (position) =>
    (mixed(high, position) >>> 11) * 2 ** 32 + (mixed(low, position + 0x5bd1e995) >>> 0);
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** Two words to one, so that each bit of both changes half of the result's (the finalizer of MurmurHash3). */
function mixed(word: number, more: number): number {
  let h = (word ^ Math.imul(more, 0x9e3779b1)) + 0x9e3779b9;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
