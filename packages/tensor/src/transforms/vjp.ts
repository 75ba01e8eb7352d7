import { isFloat } from "@gradloom/engine";
import { shapeError } from "../errors.ts";
import { literal } from "../record.ts";
import type { Tensor } from "../tensor.ts";
import { Pullback } from "./pullback.ts";
import { leavesOf, replaceTensors, type TensorsOf } from "./tree.ts";

/** What goes back to the arguments of a function: for a single one as it is, for several as a list. */
export type Cotangents<Args extends readonly unknown[]> = Args extends readonly [infer Only]
  ? TensorsOf<Only>
  : TensorsOf<Args>;

/**
 * The value of a function, and the function that takes the gradient of whatever a loss is with respect to that value
 * back to the arguments: `v ↦ vᵀ J`, where `J` is the Jacobian. As `torch.func.vjp`.
 *
 * @returns `[output, pullback]`. The argument of `pullback` has the form of the output, its result that of the
 * argument of `fn`, or a list of them if there are several.
 * @throws DTypeError if a tensor in the arguments is not floating. ArgumentError if `fn` returns anything but tensors.
 *
 * @example
 * ```ts
 * const [y, pullback] = vjp((x: Tensor) => x.square(), tensor([1, 2, 3]));
 * pullback(onesLike(y)); // [2, 4, 6]
 * ```
 */
export function vjp<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  ...primals: Args
): [output: Result, pullback: (cotangent: TensorsOf<Result>) => Cotangents<Args>] {
  const back = new Pullback("vjp", fn, primals, [...primals.keys()]);
  const form = primals.length === 1 ? primals[0] : primals;
  const pullback = (cotangent: unknown) => {
    const given = matching("vjp", cotangent, back.outputs);
    return replaceTensors(form, back.outwardGradients(given));
  };
  return [back.result as Result, pullback as (cotangent: TensorsOf<Result>) => Cotangents<Args>];
}

/** The tensors in `tree`, one for each of `likes`. */
function matching(op: string, tree: unknown, likes: readonly Tensor[]): Tensor[] {
  const leaves = leavesOf(tree);
  if (leaves.length === likes.length) return leaves;
  throw shapeError`${op}: there must be a tensor for each of ${likes.length}, got ${leaves.length}.`;
}

/**
 * The value of a function, and how it changes when its arguments change along `tangents`: `J v`, where `J` is the
 * Jacobian. As `torch.func.jvp`.
 *
 * `u ↦ uᵀ J` is linear, so its own vector-Jacobian product at any `u` is `J v`: two walks back make one forward, and
 * the plan computes nothing of the first but what the second uses.
 *
 * @param primals - The arguments of `fn`, as a list.
 * @param tangents - A tensor for each in `primals`, of its shape.
 * @throws DTypeError if a tensor in the arguments is not floating. ShapeError if tangents do not fit.
 *
 * @example
 * ```ts
 * const [y, dy] = jvp((x: Tensor) => x.square(), [tensor([1, 2])], [tensor([10, 1])]); // dy = [20, 4]
 * ```
 */
export function jvp<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  primals: Args,
  tangents: NoInfer<TensorsOf<Args>>,
): [output: Result, tangent: TensorsOf<Result>] {
  const back = new Pullback("jvp", fn, primals, [...primals.keys()]);
  const given = matching("jvp", tangents, back.inputs);
  const isFloating = back.outputs.map(({ dtype }) => isFloat(dtype));
  const zeros = back.outputs.map((output) => literal(0, output).expand(output.shape));
  const floating = isFloating.flatMap((is, i) => (is ? [i] : []));
  const products = new Pullback("jvp", (...u) => back.gradients(u, true), zeros, floating, back);
  const found = products.outwardGradients(given);
  const tangent = zeros.map((zero, i) => (isFloating[i] ? found.shift() : zero));
  return [back.result as Result, replaceTensors(back.returned, tangent) as TensorsOf<Result>];
}
