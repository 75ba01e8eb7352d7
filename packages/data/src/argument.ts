import { ArgumentError } from "@gradloom/tensor";

/** @throws ArgumentError unless a value is an integer of at least `least`. */
export function requireInteger(op: string, name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw refusal(op, `${name} must be an integer of at least ${least}, got ${value}`);
}

/** @throws ArgumentError for what are no bytes. */
export function requireBytes(op: string, bytes: unknown): void {
  if (bytes instanceof Uint8Array) return;
  const hint = bytes instanceof ArrayBuffer ? ". Pass new Uint8Array(buffer)" : "";
  const got = Object.prototype.toString.call(bytes);
  throw refusal(op, `the bytes must be a Uint8Array, got ${got}${hint}`);
}

/** An error for an argument that is outside what is allowed. */
export function refusal(op: string, text: string): ArgumentError {
  return new ArgumentError(`${op}: ${text}.`, { op });
}
