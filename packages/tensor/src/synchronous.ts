import { argumentError } from "./errors.ts";

/**
 * What a function given to `op` returned, if it is no promise.
 *
 * @throws ArgumentError otherwise: what runs after the first `await` would not be covered.
 */
export function requireSynchronous<T>(op: string, result: T): T {
  if (!isPromise(result)) return result;
  // The caller gets an error instead of the promise, so nobody else can handle its rejection.
  result.then(undefined, () => {});
  throw argumentError`${op}: fn must be synchronous, got one that returns a promise. Await outside of ${op}.`;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
