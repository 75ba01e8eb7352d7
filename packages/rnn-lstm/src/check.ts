import { ArgumentError } from "@gradloom/tensor";

/** @throws ArgumentError if a size is not a positive integer. */
export function checkSize(op: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new ArgumentError(`${op}: ${name} must be a positive integer, got ${value}.`, { op });
  }
}
