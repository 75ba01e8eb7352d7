import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Tensor } from "@gradloom/tensor";

/** The path of a file that make_fixtures.py has written. */
export function fixture(name: string): string {
  return join(import.meta.dirname, "fixtures", name);
}

/** Its bytes. */
export function fixtureBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(fixture(name)));
}

/** What was read, with each tensor as its dtype, shape and numbers. */
export function described(value: unknown): unknown {
  if (value instanceof Tensor) {
    return { dtype: value.dtype, shape: [...value.shape], data: [...value.dataSync()] };
  }
  if (Array.isArray(value)) return value.map(described);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, described(item)]));
}
