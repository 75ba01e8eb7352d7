import { type DType, isFloat, reshape } from "@gradloom/engine";
import { areStatesBorrowed } from "../borrowing.ts";
import { engine } from "../engine.ts";
import { requireDType } from "../promote.ts";
import { record } from "../record.ts";
import type { Tensor } from "../tensor.ts";
import { isTracing } from "../tracing.ts";
import { unary } from "./elementwise.ts";

/**
 * The same numbers in another dtype; `x` itself if it has that dtype. To an integer the fraction is cut off, to
 * `"bool"` it is `x ≠ 0`.
 */
export function to(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  requireDType("to", dtype);
  const gradient = isFloat(dtype) ? (grad: Tensor) => grad.to(x.dtype) : undefined;
  return unary("to", "cast", x, gradient, dtype);
}

/** A tensor with the same value now: later assignments to `x` do not change it. Gradients flow through. */
export function clone(x: Tensor): Tensor {
  // A compiled function would make a state once, in its first call. There a node of its own keeps the value of each,
  // which is computed before the state changes although something consumes it.
  const node = isTracing() ? reshape(x.node, x.shape) : x.node;
  const copy = record("clone", node, [x], [(grad) => grad]);
  if (x.state) {
    if (node !== x.node) engine().hold(node);
    else if (!areStatesBorrowed()) copy.state = engine().state(node);
  }
  return copy;
}
