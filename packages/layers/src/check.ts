import { ArgumentError } from "@gradloom/tensor";

/**
 * For the constructors of layers: refuses a size that is none.
 *
 * @throws ArgumentError if it is not a positive integer, with the layer's name and that of the size.
 */
export function checkSize(op: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    const got = Array.isArray(value) ? `[${value}]` : value;
    throw new ArgumentError(`${op}: ${name} must be a positive integer, got ${got}.`, { op });
  }
}

/**
 * For the constructors of layers: refuses a number that is NaN, infinite or below `least`, 0 by default.
 *
 * @throws ArgumentError with the layer's name and that of the number.
 */
export function checkFinite(op: string, name: string, value: number, least = 0): void {
  if (!Number.isFinite(value) || value < least) {
    const rule = least === 0 ? "a finite number of at least 0" : "a finite number";
    throw new ArgumentError(`${op}: ${name} must be ${rule}, got ${value}.`, { op });
  }
}

/** The sizes of a shape that may be given as one number. */
export function checkShape(
  op: string,
  name: string,
  shape: number | readonly number[],
): readonly number[] {
  const sizes: readonly number[] = Array.isArray(shape) ? [...shape] : [shape];
  if (sizes.length === 0) {
    throw new ArgumentError(`${op}: ${name} must have at least one size, got [].`, { op });
  }
  for (const size of sizes) checkSize(op, name, size);
  return sizes;
}
