import { eye } from "../create.ts";
import { listOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { type ArgnumsOptions, type PerArgument, perArgument } from "./grad.ts";
import { Pullback } from "./pullback.ts";
import { replaceTensors } from "./tree.ts";
import { vmap } from "./vmap.ts";

/** The form of a result, with something in place of each tensor. */
export type PerOutput<Result, T> = Result extends Tensor
  ? T
  : Result extends object
    ? { [K in keyof Result]: PerOutput<Result[K], T> }
    : Result;

/**
 * The function that gives all derivatives of a function, `J[i…, j…] = ∂ fn(x)[i…] / ∂ x[j…]`, as `torch.func.jacrev`:
 * one walk back, `vmap`ped over the elements of the output.
 *
 * - Shape: `[...output.shape, ...argument.shape]`; for lists and objects of tensors as outputs or arguments, one for each pair
 * @throws As {@link vjp}.
 *
 * @example
 * ```ts
 * jacobian((x: Tensor) => x.square())(tensor([1, 2])); // [[2, 0], [0, 4]]
 * ```
 */
export function jacobian<
  Args extends readonly Tensor[],
  Result,
  const Argnums extends number | readonly number[] = 0,
>(
  fn: (...args: Args) => Result,
  options?: ArgnumsOptions<Argnums>,
): (...args: Args) => PerOutput<Result, PerArgument<Args, Argnums>>;
export function jacobian<
  Args extends readonly unknown[],
  Result,
  const Argnums extends number | readonly number[] = 0,
>(
  fn: (...args: Args) => Result,
  options?: ArgnumsOptions<Argnums>,
): (...args: Args) => PerOutput<Result, PerArgument<Args, Argnums>>;
export function jacobian(
  fn: (...args: never[]) => unknown,
  options: ArgnumsOptions<number | readonly number[]> = {},
): unknown {
  return jacobianOf("jacobian", fn, options);
}

function jacobianOf(
  op: string,
  fn: (...args: never[]) => unknown,
  { argnums = 0 }: ArgnumsOptions<number | readonly number[]>,
): (...args: readonly unknown[]) => unknown {
  return (...args) => {
    const back = new Pullback(op, fn, args, listOf(argnums));
    const byOutput = back.outputs.map((output, i) => {
      const { shape, numel, dtype } = output;
      const row = (direction: Tensor) => {
        const directions = back.outputs.map(() => direction);
        return back.outwardGradients(directions, i);
      };
      const basis = eye(numel, { dtype }).reshape([numel, ...shape]);
      const blocks = vmap(row)(basis).map((block, k) =>
        block.reshape([...shape, ...back.inputs[k].shape]),
      );
      return perArgument(args, argnums, blocks);
    });
    return replaceTensors(back.returned, byOutput);
  };
}

/** A block for each output and each pair of arguments. */
export type SecondDerivatives<
  Args extends readonly unknown[],
  Result,
  Argnums extends number | readonly number[],
> = PerOutput<Result, PerOutput<PerArgument<Args, Argnums>, PerArgument<Args, Argnums>>>;

/**
 * The function that gives all second derivatives, `H[i…, j…, k…] = ∂² fn(x)[i…] / ∂x[j…] ∂x[k…]`: the Jacobian of the
 * Jacobian, as `torch.func.hessian`. For a scalar function of one vector it is a symmetric matrix.
 *
 * - Shape: `[...output.shape, ...argument.shape, ...argument.shape]`; with a list of `argnums`, a list of lists
 * @throws As {@link vjp}.
 */
export function hessian<
  Args extends readonly Tensor[],
  Result,
  const Argnums extends number | readonly number[] = 0,
>(
  fn: (...args: Args) => Result,
  options?: ArgnumsOptions<Argnums>,
): (...args: Args) => SecondDerivatives<Args, Result, Argnums>;
export function hessian<
  Args extends readonly unknown[],
  Result,
  const Argnums extends number | readonly number[] = 0,
>(
  fn: (...args: Args) => Result,
  options?: ArgnumsOptions<Argnums>,
): (...args: Args) => SecondDerivatives<Args, Result, Argnums>;
export function hessian(
  fn: (...args: never[]) => unknown,
  options: ArgnumsOptions<number | readonly number[]> = {},
): unknown {
  return jacobianOf("hessian", jacobianOf("hessian", fn, options), options);
}
