import { argumentError } from "./errors.ts";

/** Where {@link Generator} is: what a checkpoint keeps to go on with the same numbers. */
export interface GeneratorState {
  readonly seed: number;
  /** How many random tensors have been drawn. */
  readonly draws: number;
}

/** @internal What a random tensor's numbers are a function of, apart from their positions. */
export interface Draw {
  readonly key0: number;
  readonly key1: number;
  readonly stream: number;
}

/** @internal Where random tensors come from: a {@link Generator}, or who repeats what one has drawn. */
export interface DrawSource {
  draw(): Draw;
}

/**
 * Random numbers from a seed. Element `i` of the `n`-th tensor is Philox4x32-10 of `seed`, `n` and `i`:
 * the same on every backend, for any number of threads, and whatever else the plan computes. A
 * tensor's numbers are fixed when it is recorded, not when it is computed.
 *
 * - Paper: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3,
 *   https://doi.org/10.1145/2063384.2063405
 */
export class Generator {
  #seed = 0;
  #draws = 0;

  /**
   * @param seed - Any integer. Default: another one each time.
   * @throws ArgumentError if `seed` is not a safe integer.
   */
  constructor(seed: number = Math.floor(Math.random() * 2 ** 53)) {
    this.manualSeed(seed);
  }

  /** Starts again from a seed. */
  manualSeed(seed: number): this {
    return this.setState({ seed, draws: 0 });
  }

  getState(): GeneratorState {
    return { seed: this.#seed, draws: this.#draws };
  }

  /** Goes on where another generator, or this one, was. */
  setState({ seed, draws }: GeneratorState): this {
    if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(draws)) {
      throw argumentError`manualSeed: the seed must be an integer below 2^53, got ${seed} (draw ${draws}).`;
    }
    this.#seed = seed;
    this.#draws = draws;
    return this;
  }

  /** What the next tensor is made of. */
  draw(): Draw {
    const stream = this.#draws++ | 0;
    return { key0: this.#seed | 0, key1: Math.floor(this.#seed / 2 ** 32) | 0, stream };
  }
}

/** The one that {@link manualSeed} sets. */
export const defaultGenerator: Generator = new Generator();

/** Makes everything random from here on a function of `seed`, unless it has a generator of its own. */
export function manualSeed(seed: number): Generator {
  return defaultGenerator.manualSeed(seed);
}
