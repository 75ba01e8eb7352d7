import { type GradOptions, gradients as gradientsOf } from "../autograd.ts";
import { listOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { Pullback } from "./pullback.ts";
import { replaceTensors, type TensorsOf } from "./tree.ts";

/** What transforms take that differentiate. */
export interface ArgnumsOptions<Argnums extends number | readonly number[] = number> {
  /** Which arguments to differentiate with respect to, by position: one, or a list. Default: 0. */
  readonly argnums?: Argnums;
}

/** Something of each argument that `argnums` names: for one as it is, for several as a list. */
export type PerArgument<
  Args extends readonly unknown[],
  Argnums extends number | readonly number[],
> = Argnums extends number
  ? TensorsOf<Args[Argnums]>
  : Argnums extends readonly [...infer Several extends number[]]
    ? { [I in keyof Several]: TensorsOf<Args[Several[I]]> }
    : TensorsOf<Args[number]>[];

/**
 * The function that gives the gradient of a scalar function, `x ↦ ∇fn(x)`, as `torch.func.grad` does. An argument
 * may be a tensor, or lists and plain objects of tensors: the gradient has the same form. Other arguments are passed on.
 *
 * Gradients of gradients, and `vmap` of gradients, are made by nesting. What `fn` uses from outside and requires a
 * gradient can be differentiated as well: `grad((x) => …)(x).square().sum().backward()` reaches the parameters.
 *
 * Called with tensors instead, it gives the gradients of `outputs`, summed, with respect to each of `inputs`; `grad`
 * fields stay as they are.
 *
 * @throws ShapeError if the output is not a scalar. DTypeError if an argument is not floating. ArgumentError if
 * `argnums` names no tensor; with tensors, if an input does not require a gradient, or the outputs do not depend on it
 * (unless `allowUnused`). StateError with tensors as `backward` does.
 *
 * @example
 * ```ts
 * const slope = grad((x: Tensor) => x.sin());
 * const curvature = grad(grad((x: Tensor) => x.sin()));
 * ```
 */
export function grad<
  Args extends readonly Tensor[],
  const Argnums extends number | readonly number[] = 0,
>(
  fn: (...args: Args) => Tensor,
  options?: ArgnumsOptions<Argnums>,
): (...args: Args) => PerArgument<Args, Argnums>;
export function grad<
  Args extends readonly unknown[],
  const Argnums extends number | readonly number[] = 0,
>(
  fn: (...args: Args) => Tensor,
  options?: ArgnumsOptions<Argnums>,
): (...args: Args) => PerArgument<Args, Argnums>;
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions & { readonly allowUnused: true },
): (Tensor | null)[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options?: GradOptions,
): Tensor[];
export function grad(
  first: ((...args: never[]) => Tensor) | Tensor | readonly Tensor[],
  second: ArgnumsOptions<number | readonly number[]> | Tensor | readonly Tensor[] = {},
  options?: GradOptions,
): unknown {
  if (typeof first !== "function") return gradientsOf(first, second as Tensor, options);
  const { argnums = 0 } = second as ArgnumsOptions<number | readonly number[]>;
  return (...args: readonly unknown[]) => withValue("grad", first, args, argnums)[1];
}

/** {@link grad} that gives the value as well: `x ↦ [fn(x), ∇fn(x)]`. */
export function valueAndGrad<
  Args extends readonly Tensor[],
  const Argnums extends number | readonly number[] = 0,
>(
  fn: (...args: Args) => Tensor,
  options?: ArgnumsOptions<Argnums>,
): (...args: Args) => [value: Tensor, gradient: PerArgument<Args, Argnums>];
export function valueAndGrad<
  Args extends readonly unknown[],
  const Argnums extends number | readonly number[] = 0,
>(
  fn: (...args: Args) => Tensor,
  options?: ArgnumsOptions<Argnums>,
): (...args: Args) => [value: Tensor, gradient: PerArgument<Args, Argnums>];
export function valueAndGrad(
  fn: (...args: never[]) => Tensor,
  { argnums = 0 }: ArgnumsOptions<number | readonly number[]> = {},
): unknown {
  return (...args: readonly unknown[]) => withValue("valueAndGrad", fn, args, argnums);
}

function withValue(
  op: string,
  fn: (...args: never[]) => Tensor,
  args: readonly unknown[],
  argnums: number | readonly number[],
): readonly [Tensor, unknown] {
  const back = new Pullback(op, fn, args, listOf(argnums));
  const value = back.scalar;
  const gradients = back.outwardGradients([undefined]);
  return [back.outward(value), perArgument(args, argnums, gradients)];
}

/** Results for the tensors of the named arguments, in the form of these. */
export function perArgument(
  args: readonly unknown[],
  argnums: number | readonly number[],
  leaves: readonly Tensor[],
): unknown {
  const named = typeof argnums === "number" ? args[argnums] : argnums.map((i) => args[i]);
  return replaceTensors(named, leaves);
}
