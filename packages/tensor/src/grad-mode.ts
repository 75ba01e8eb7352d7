import { ArgumentError } from "@gradloom/engine";

let enabled = true;

/** Whether what is recorded now can be differentiated. */
export function isGradEnabled(): boolean {
  return enabled;
}

/** Runs `fn` with recording for gradients on or off, and restores what was before. */
export function withGradMode<T>(mode: boolean, fn: () => T): T {
  const before = enabled;
  enabled = mode;
  try {
    return fn();
  } finally {
    enabled = before;
  }
}

/**
 * Runs `fn`, in which nothing is recorded for gradients: results do not require any, and parameters may
 * be assigned to.
 *
 * @throws ArgumentError if `fn` returns a promise: what ran after its first `await` would be recorded again.
 */
export function noGrad<T>(fn: () => T): T {
  const result = withGradMode(false, fn);
  if (isPromise(result)) {
    // The caller gets an error instead of the promise, so nobody else can handle its rejection.
    result.then(undefined, () => {});
    throw new ArgumentError(
      "noGrad: fn must be synchronous, got one that returns a promise. Put noGrad around the " +
        "parts that record, and await what they return outside.",
      { op: "noGrad" },
    );
  }
  return result;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}
