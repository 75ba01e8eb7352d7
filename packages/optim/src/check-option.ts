import { ArgumentError } from "@gradloom/tensor";

/** @throws ArgumentError if an option is not a finite number of at least 0. */
export function checkNonNegative(op: string, name: string, value: number): void {
  if (value >= 0 && Number.isFinite(value)) return;
  throw new ArgumentError(`${op}: ${name} must be a finite number of at least 0, got ${value}.`, {
    op,
  });
}

/** @throws ArgumentError if one of the betas is not in [0, 1). */
export function checkBetas(op: string, betas: readonly [number, number]): void {
  const isList = Array.isArray(betas);
  if (isList && betas.length === 2 && betas.every((beta) => beta >= 0 && beta < 1)) return;
  const got = isList ? `[${betas.join(", ")}]` : String(betas);
  throw new ArgumentError(`${op}: betas must be two numbers in [0, 1), got ${got}.`, { op });
}

/** @throws ArgumentError if an option is not a finite number. */
export function checkReal(op: string, name: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw new ArgumentError(`${op}: ${name} must be a finite number, got ${value}.`, { op });
}

/** @throws ArgumentError if an option is not an integer of at least 1. */
export function checkPositiveInteger(op: string, name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new ArgumentError(`${op}: ${name} must be a positive integer, got ${value}.`, { op });
}
