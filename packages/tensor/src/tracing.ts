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
 * @throws StateError inside of a function that is being compiled: it would see the values of the first call only.
 */
export function refuseWhileTracing(op: string): void {
  if (!tracing) return;
  throw stateError`${op}: values must not be read inside of a compiled function. Return the tensor, and read it outside.`;
}

/**
 * @throws StateError inside of a function that is being compiled: what it has recorded of the tensor so far would go on
 * reading the old value.
 */
export function refuseNewState(): void {
  if (!tracing) return;
  throw stateError`assign: inside of a compiled function the tensor must have been assigned to before, or be a Parameter or a Buffer. Wrap it outside: new Tensor(x).`;
}
