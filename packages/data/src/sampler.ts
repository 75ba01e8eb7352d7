import type { Random } from "./random.ts";

/** Which items an epoch consists of, and in which order. */
export interface Sampler {
  /** How many items an epoch has. */
  readonly length: number;
  /**
   * The items of an epoch by their indices.
   *
   * @param random - What the order may depend on; other numbers in each epoch, the same when one is repeated.
   */
  order(random: Random): ArrayLike<number>;
}

/** All items from first to last. */
export function inOrder(length: number): Sampler {
  return { length, order: () => Int32Array.from({ length }, (_, i) => i) };
}

/** All items in random order. */
export function shuffled(length: number): Sampler {
  return { length, order: (random) => random.permutation(length) };
}
