import { Context } from "./context.ts";
import { stateError } from "./errors.ts";

/** Where a function runs on stand-ins for values that are not there. */
export type Place = "compile" | "vmap" | "scan";

const place = new Context<Place | undefined>(undefined);

/** Whether the function that is running now is being compiled, or seen by `vmap` or `scan`. */
export function isTracing(): boolean {
  return place.value !== undefined;
}

/** Whether what is recorded now is for an example that does not exist: nobody can ask for its value. */
export function isSketch(): boolean {
  return place.value === "vmap" || place.value === "scan";
}

/** Runs `fn` as a function that is being compiled, or seen by `vmap` or `scan`. */
export function trace<T>(where: Place, fn: () => T): T {
  return place.run(where, fn);
}

/**
 * @throws StateError inside of a function that is being compiled, whose later calls would see what happened in
 * the first one only, or inside of `vmap` and `scan`, where there is no value yet.
 */
export function refuseWhileTracing(op: string, what: string, wayOut: string): void {
  const { value } = place;
  if (value === undefined) return;
  throw stateError`${op}: ${what} inside of ${value}(). ${wayOut}`;
}

/** @throws StateError inside of `vmap`, for what would have to happen once an example. */
export function refuseInVmap(op: string, what: string, wayOut: string): void {
  if (isSketch()) refuseWhileTracing(op, what, wayOut);
}
