import { type DType, type ElementOp, element } from "@gradloom/engine";
import type { Gradient, Gradients } from "../history.ts";
import { floatType, type Operand, requireTensor, resultType, toTensor } from "../promote.ts";
import { isDifferentiable, literal, record } from "../record.ts";
import type { Tensor } from "../tensor.ts";

/** An element operation of the engine on one tensor. */
export function unary(
  name: string,
  op: ElementOp,
  x: Tensor,
  gradient?: Gradient,
  dtype: DType = x.dtype,
): Tensor {
  const node = element(op, [x.node], dtype);
  if (!gradient || !isDifferentiable(x)) return record(name, node);
  return record(name, node, [x], [gradient]);
}

/** One whose result is floating: integers become float32 first. The rule gets the converted input. */
export function floatUnary(op: ElementOp, input: Tensor, gradient: Gradient): Tensor {
  requireTensor(op, input);
  return unary(op, op, input.to(floatType(input.dtype)), gradient);
}

/** An element operation on two tensors of one dtype; shapes broadcast. */
export function binary(
  name: string,
  op: ElementOp,
  a: Tensor,
  b: Tensor,
  gradients?: Gradients,
  dtype: DType = a.dtype,
): Tensor {
  const node = element(op, [a.node, b.node], dtype, undefined, name);
  if (!gradients || !isDifferentiable(a, b)) return record(name, node);
  return record(name, node, [a, b], gradients);
}

/** Converts both to their common dtype: of integers too, or floating at least. */
export function promoted(
  op: string,
  a: Tensor,
  b: Operand,
  result: (dtype: DType) => DType = same,
): readonly [Tensor, Tensor] {
  const dtype = result(resultType(op, a, b));
  return [a.to(dtype), toTensor(b, dtype)];
}

function same(dtype: DType): DType {
  return dtype;
}

/** The rule of an operation whose slope is 0 wherever it has one. */
export function zeroGradient(grad: Tensor): Tensor {
  return literal(0, grad).expand(grad.shape);
}
