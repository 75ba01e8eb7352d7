import { ArgumentError } from "@gradloom/tensor";

/** @throws ArgumentError for what is no text. */
export function requireText(op: string, text: unknown): void {
  if (typeof text === "string") return;
  throw new ArgumentError(`${op}: there must be a text, got ${String(text)}.`, { op });
}

/**
 * @param what - What there must be: a list.
 * @throws ArgumentError for what is no list, such as a tensor.
 */
export function requireIds(op: string, ids: unknown, what = "a list"): void {
  if (typeof ids === "object" && ids !== null && Symbol.iterator in ids) return;
  throw new ArgumentError(
    `${op}: ids must be ${what}, got ${String(ids)}. Of a tensor, pass await ids.array().`,
    { op },
  );
}
