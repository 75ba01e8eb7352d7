import { expectTypeOf } from "vitest";
import {
  arange,
  cat,
  type DType,
  full,
  gelu,
  grad,
  hessian,
  jacobian,
  jvp,
  matmul,
  max,
  meshgrid,
  norm,
  setBackend,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
  zeros,
} from "../src/index.ts";

// Checked by `tsc -p packages/tensor`, as part of `pnpm check`: an error that does not come is an error. Nothing here runs.

declare const x: Tensor;

/** Dtypes. */
export function dtypes(): void {
  zeros([2], { dtype: "int32" });
  // @ts-expect-error: no such dtype
  zeros([2], { dtype: "float16" });
  // @ts-expect-error: no such dtype
  tensor([1, 2], { dtype: "int64" });
  // @ts-expect-error: no such dtype
  x.to("double");
  // @ts-expect-error: a dtype is a string of those, not any
  full([2], 1, { dtype: "float32" as string });
  expectTypeOf(x.dtype).toEqualTypeOf<DType>();
  expectTypeOf<DType>().toEqualTypeOf<"float32" | "float64" | "int32" | "uint8" | "bool">();
}

/** Options: names and values. */
export function options(): void {
  x.sum(1, { keepdim: true });
  // @ts-expect-error: PyTorch's name is `keepdim`
  x.sum(1, { keepDims: true });
  // @ts-expect-error: a boolean
  sum(x, 1, { keepdim: 1 });
  x.div(2, { roundingMode: "floor" });
  // @ts-expect-error: no such mode
  x.div(2, { roundingMode: "round" });
  // @ts-expect-error: no such approximation
  gelu(x, { approximate: "erf" });
  // @ts-expect-error: no such order
  meshgrid([x, x], { indexing: "ji" });
  // @ts-expect-error: a number
  norm(x, 1, { p: "2" });
  // @ts-expect-error: tensors are not options
  x.clamp({ lower: 0 });
  // @ts-expect-error: no such backend
  setBackend("webgl");
}

/** Arguments: how many, in which order, of which kind. */
export function arity(): void {
  // @ts-expect-error: another tensor is missing
  matmul(x);
  // @ts-expect-error: one tensor too many
  x.matmul(x, x);
  // @ts-expect-error: a list of tensors
  cat(x, x);
  // @ts-expect-error: no axis
  x.exp(1);
  // @ts-expect-error: a shape is one array
  x.reshape(2, 3);
  // @ts-expect-error: an order is one array
  x.permute(0, 1);
  // @ts-expect-error: the axis is missing
  x.softmax();
  // @ts-expect-error: axes are numbers
  x.sum("rows");
  // @ts-expect-error: the step is an option
  arange(0, 10, 2);
  // @ts-expect-error: two axes
  x.transpose(0);
}

/** Results. */
export function results(): void {
  expectTypeOf(max(x)).toEqualTypeOf<Tensor>();
  expectTypeOf(max(x, 0).indices).toEqualTypeOf<Tensor>();
  // @ts-expect-error: without an axis there are no indices
  max(x).indices;
  expectTypeOf(x.shape).toEqualTypeOf<readonly number[]>();
  // @ts-expect-error: shapes do not change
  x.shape[0] = 3;
  expectTypeOf(x.item()).toEqualTypeOf<Promise<number>>();
  expectTypeOf(x.itemSync()).toEqualTypeOf<number>();
  expectTypeOf(x.grad).toEqualTypeOf<Tensor | null>();
}

/** Gradients of tensors, and transforms of functions. */
export function transforms(): void {
  const f = (a: Tensor, b: Tensor) => a.mul(b).sum();
  const loss = (weights: { w: Tensor; b: Tensor[] }, input: Tensor) => input.mul(weights.w).sum();

  expectTypeOf(grad(x, [x])).toEqualTypeOf<Tensor[]>();
  expectTypeOf(grad(x, x, { allowUnused: true })).toEqualTypeOf<(Tensor | null)[]>();
  expectTypeOf(grad(f)).toEqualTypeOf<(a: Tensor, b: Tensor) => Tensor>();
  expectTypeOf(grad(f, { argnums: [0, 1] })(x, x)).toEqualTypeOf<[Tensor, Tensor]>();
  expectTypeOf(grad(loss)({ w: x, b: [x] }, x)).toEqualTypeOf<{ w: Tensor; b: Tensor[] }>();
  expectTypeOf(valueAndGrad(f)(x, x)).toEqualTypeOf<[value: Tensor, gradient: Tensor]>();
  expectTypeOf(grad(grad((a: Tensor) => a))(x)).toEqualTypeOf<Tensor>();
  // @ts-expect-error: an argument is missing
  grad(f)(x);
  // @ts-expect-error: the function must give a tensor
  grad((a: Tensor) => [a]);
  // @ts-expect-error: there is no such option
  grad(f, { argnum: 1 });
  // @ts-expect-error: options of tensors are none of functions
  grad(f, { createGraph: true });
  // @ts-expect-error: inputs are missing
  grad(x);

  expectTypeOf(vjp(f, x, x)[1](x)).toEqualTypeOf<[Tensor, Tensor]>();
  expectTypeOf(vjp((a: Tensor) => a, x)[1](x)).toEqualTypeOf<Tensor>();
  // @ts-expect-error: an argument is missing
  vjp(f, x);
  expectTypeOf(jvp(f, [x, x], [x, x])).toEqualTypeOf<[output: Tensor, tangent: Tensor]>();
  // @ts-expect-error: a tangent is missing
  jvp(f, [x, x], [x]);
  expectTypeOf(jacobian(f, { argnums: [0, 1] })(x, x)).toEqualTypeOf<[Tensor, Tensor]>();
  expectTypeOf(hessian(f)(x, x)).toEqualTypeOf<Tensor>();

  expectTypeOf(vmap(f)).toEqualTypeOf<(a: Tensor, b: Tensor) => Tensor>();
  expectTypeOf(vmap((a: Tensor) => ({ a }))(x)).toEqualTypeOf<{ a: Tensor }>();
  // @ts-expect-error: an argument is missing
  vmap(f)(x);
  // @ts-expect-error: no such kind
  vmap(f, { randomness: "random" });
  // @ts-expect-error: axes are numbers
  vmap(f, { inDims: ["0", null] });
}
