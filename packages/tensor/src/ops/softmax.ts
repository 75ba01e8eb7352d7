import type { Gradient } from "../history.ts";
import { requireFloat } from "../promote.ts";
import { formula, record } from "../record.ts";
import { toAxis } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { kept } from "./reduction.ts";

/**
 * `e^x / Σ e^x` along an axis: positive, with sum 1.
 *
 * The largest element is subtracted first, which changes nothing but keeps `e^x` from overflowing.
 */
export function softmax(x: Tensor, dim: number): Tensor {
  requireFloat("softmax", x);
  const axis = toAxis("softmax", dim, x.ndim);
  if (x.numel === 0) return x;
  const node = formula(() => {
    const e = x.sub(x.amax(axis, kept)).exp();
    // One division for all of the axis. The sum is at least 1.
    return e.mul(e.sum(axis, kept).reciprocal());
  });
  return record("softmax", node, [x], [softmaxGradient(axis)]);
}

/** The rule of what is softmax along an axis. */
export function softmaxGradient(axis: number): Gradient {
  return (grad, y) => y.mul(grad.sub(grad.mul(y).sum(axis, kept)));
}

/** `log softmax(x)` along an axis, exact also where the softmax underflows. */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  requireFloat("logSoftmax", x);
  const axis = toAxis("logSoftmax", dim, x.ndim);
  if (x.numel === 0) return x;
  const node = formula(() => {
    const shifted = x.sub(x.amax(axis, kept));
    return shifted.sub(shifted.exp().sum(axis, kept).log());
  });
  return record(
    "logSoftmax",
    node,
    [x],
    [(grad, y) => grad.sub(y.exp().mul(grad.sum(axis, kept)))],
  );
}
