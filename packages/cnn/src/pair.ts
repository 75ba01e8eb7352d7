import { ArgumentError, type Pair } from "@gradloom/tensor";

/**
 * A size for each axis, from one for all or a list.
 *
 * @throws ArgumentError if it is not as many integers of at least `least`.
 */
export function pairOf(
  op: string,
  name: string,
  value: Pair,
  axes: number,
  least: number,
): readonly number[] {
  const sizes = Array.isArray(value) ? [...value] : new Array(axes).fill(value);
  if (sizes.length === axes && sizes.every((size) => Number.isInteger(size) && size >= least)) {
    return sizes;
  }
  const what = axes === 1 ? "an integer" : `an integer or ${axes} of them`;
  throw new ArgumentError(
    `${op}: ${name} must be ${what} of at least ${least}, got ${String(value)}.`,
    { op },
  );
}

/** One number where all are equal, else a list. */
export function showPair(sizes: readonly number[]): string {
  return sizes.every((size) => size === sizes[0]) ? String(sizes[0]) : `[${sizes.join(", ")}]`;
}
