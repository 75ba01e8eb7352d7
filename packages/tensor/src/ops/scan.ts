import { scan as scanNode } from "@gradloom/engine";
import { record } from "../record.ts";
import { toAxis } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { widened } from "./reduction.ts";

/**
 * The sums of all elements up to each one along an axis, `yᵢ = x₀ + … + xᵢ`, in the shape of `x`. Of narrow integers
 * and booleans: int32.
 */
export function cumsum(input: Tensor, dim: number): Tensor {
  const x = widened("cumsum", input);
  const axis = toAxis("cumsum", dim, x.ndim);
  if (x.ndim === 0) return x;
  const node = scanNode("sum", x.node, axis);
  return record("cumsum", node, [x], [(grad) => grad.flip(axis).cumsum(axis).flip(axis)]);
}

/**
 * The products of all elements up to each one along an axis, `yᵢ = x₀ · … · xᵢ`, in the shape of `x`. Of narrow
 * integers and booleans: int32. The gradients of every order are right also where elements are 0: nothing is divided.
 */
export function cumprod(input: Tensor, dim: number): Tensor {
  const x = widened("cumprod", input);
  const axis = toAxis("cumprod", dim, x.ndim);
  if (x.numel === 0 || x.ndim === 0) return x;
  const node = scanNode("prod", x.node, axis);
  const before = (y: Tensor) => shifted(y, axis, 1, 1);
  return record("cumprod", node, [x], [(grad, y) => before(y).mul(behind(grad, x, axis))]);
}

/**
 * `rᵢ = gᵢ + xᵢ₊₁ · rᵢ₊₁`: the sum over all results that have the factor `xᵢ`, each with the factors behind it.
 *
 * After each step `r` and `factor` cover twice as many positions: `rᵢ = sumᵢ + factorᵢ · rᵢ₊ₛ`.
 */
function behind(grad: Tensor, x: Tensor, axis: number): Tensor {
  const size = x.shape[axis];
  let sum = grad;
  let factor = shifted(x, axis, -1);
  for (let step = 1; step < size; step *= 2) {
    sum = sum.add(factor.mul(shifted(sum, axis, -step)));
    if (2 * step < size) factor = factor.mul(shifted(factor, axis, -step));
  }
  return sum;
}

/** Moves elements along an axis, which must be as long; what is left empty becomes `value`. */
export function shifted(x: Tensor, dim: number, by: number, value = 0): Tensor {
  const behind = dim < 0 ? -1 - dim : x.ndim - 1 - dim;
  return x.pad([...new Array<number>(2 * behind).fill(0), by, -by], { value });
}
