import fc from "fast-check";

/** Random choices, which fast-check makes smaller when a test fails. */
export interface Draw {
  /** An integer from `low` to `high`, both included; shrinks towards `low`. */
  int(low: number, high: number): number;
  /** Whether something happens that does in `percent` of all cases; shrinks towards `false`. */
  chance(percent: number): boolean;
  /** One of a list; shrinks towards the first. */
  pick<T>(list: readonly T[]): T;
  /** All of a list in random order; shrinks towards the order it has. */
  shuffle<T>(list: readonly T[]): T[];
}

/** Choices that are made while the test runs, as `fc.gen()` gives them. */
export function drawFrom(generate: fc.GeneratorValue): Draw {
  const int = (low: number, high: number): number =>
    low >= high ? low : generate(fc.integer, { min: low, max: high });
  return {
    int,
    chance: (percent) => int(0, 99) >= 100 - percent,
    pick: (list) => list[int(0, list.length - 1)],
    shuffle: (list) => {
      const rest = [...list];
      return list.map(() => rest.splice(int(0, rest.length - 1), 1)[0]);
    },
  };
}
