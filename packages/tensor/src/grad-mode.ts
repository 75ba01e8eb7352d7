import { Context } from "./context.ts";
import { requireSynchronous } from "./synchronous.ts";

const enabled = new Context(true);

/** Whether what is recorded now can be differentiated. */
export function isGradEnabled(): boolean {
  return enabled.value;
}

/** Runs `fn` with recording for gradients on or off, and restores what was before. */
export function withGradMode<T>(mode: boolean, fn: () => T): T {
  return enabled.run(mode, fn);
}

/**
 * Runs `fn`, in which nothing is recorded for gradients: results do not require any, and parameters may
 * be assigned to.
 *
 * @throws ArgumentError if `fn` returns a promise: what ran after its first `await` would be recorded again.
 */
export function noGrad<T>(fn: () => T): T {
  return requireSynchronous("noGrad", withGradMode(false, fn));
}
