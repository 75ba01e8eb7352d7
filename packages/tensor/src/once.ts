import { isGradEnabled } from "./grad-mode.ts";
import type { Tensor } from "./tensor.ts";

/** A function of a gradient that remembers its last result, recorded for gradients or not. */
export function once<Others extends unknown[], R>(
  fn: (grad: Tensor, ...others: Others) => R,
): (grad: Tensor, ...others: Others) => R {
  let last: { readonly grad: Tensor; readonly recorded: boolean; readonly result: R } | undefined;
  return (grad, ...others) => {
    const recorded = isGradEnabled();
    if (last?.grad !== grad || last.recorded !== recorded) {
      last = { grad, recorded, result: fn(grad, ...others) };
    }
    return last.result;
  };
}
