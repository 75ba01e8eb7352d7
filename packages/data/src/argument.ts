import { ArgumentError } from "@gradloom/tensor";

/** @throws ArgumentError unless a value is an integer of at least `least`. */
export function requireInteger(op: string, name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw refusal(op, `${name} must be an integer of at least ${least}, got ${value}`);
}

/** An error for an argument that is outside what is allowed. */
export function refusal(op: string, text: string): ArgumentError {
  return new ArgumentError(`${op}: ${text}.`, { op });
}
