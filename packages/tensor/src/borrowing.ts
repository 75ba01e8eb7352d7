import { Context } from "./context.ts";

const borrowing = new Context(false);

/** Whether copies of states are not made. */
export function areStatesBorrowed(): boolean {
  return borrowing.value;
}

/**
 * Runs `fn`, in which `clone()` makes no copy of a state: the result is its value as it is now, and reading it once the
 * state has changed is an error. So a state dict that is written to a file and dropped costs no memory.
 */
export function borrowStates<T>(fn: () => T): T {
  return borrowing.run(true, fn);
}
