import { stateError } from "./errors.ts";

let tracing = false;

/** Whether the function that is running now is being compiled. */
export function isTracing(): boolean {
  return tracing;
}

/** Runs `fn` as a function that is being compiled. */
export function trace<T>(fn: () => T): T {
  tracing = true;
  try {
    return fn();
  } finally {
    tracing = false;
  }
}

/**
 * @throws StateError inside of a function that is being compiled, whose later calls would see what happened in
 * the first one only.
 */
export function refuseWhileTracing(op: string, what: string, wayOut: string): void {
  if (!tracing) return;
  throw stateError`${op}: ${what} inside of a compiled function. ${wayOut}`;
}
