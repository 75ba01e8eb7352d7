import type { Affine } from "@gradloom/engine";

/**
 * Calls `body` for each point of nested loops of these sizes, the last one innermost, after writing
 * their counters to `loops` from position `first` on.
 */
export function forEachPoint(
  sizes: readonly number[],
  loops: number[],
  first: number,
  body: () => void,
): void {
  const loop = (depth: number): void => {
    if (depth === sizes.length) {
      body();
      return;
    }
    for (let i = 0; i < sizes[depth]; i++) {
      loops[first + depth] = i;
      loop(depth + 1);
    }
  };
  loop(0);
}

/** A function of the loops: `offset + Σ strides[i] · loops[i]`. */
export function compileAffine({ offset, strides }: Affine): (loops: readonly number[]) => number {
  return (loops) => {
    let value = offset;
    for (let i = 0; i < strides.length; i++) value += strides[i] * loops[i];
    return value;
  };
}
