import type { LoopKernel, MatmulKernel, Stage } from "@gradloom/engine";
import { withStrides } from "./loop-nest.ts";
import { operandStrides, spread, termDigits } from "./matmul-digits.ts";

/**
 * A matrix product as a loop kernel: a sum for each element, then the epilogue. For the element types and
 * the sizes that blocking has nothing to offer to. Rows, columns and terms of windows are as many loops as they have
 * digits.
 */
export function matmulAsLoops(kernel: MatmulKernel): LoopKernel {
  const { a, b, m, n, dtype } = kernel;
  const rows = a.window?.rows ?? [m];
  const columns = b.window?.columns ?? [n];
  // Plans have products of digits that nest only.
  const terms = termDigits(kernel) as readonly number[];
  const load = (isA: boolean): Stage["code"][number] => {
    const { access, guards } = operandStrides(kernel, isA, terms);
    const place = <T extends typeof access>(affine: T) => {
      const sides = isA
        ? [...affine.sides, ...columns.map(() => 0)]
        : [...rows.map(() => 0), ...affine.sides];
      const strides = [...affine.batch, ...sides, ...affine.terms];
      return { ...affine, strides };
    };
    const { offset, strides } = place(access);
    const { buffer } = isA ? a : b;
    return { op: "load", dtype, access: { buffer, offset, strides }, guards: guards.map(place) };
  };
  const product: Stage = {
    inner: terms,
    code: [load(true), load(false), { op: "mul", dtype, args: [0, 1] }],
    stores: [],
    results: [{ value: 2, reduce: "sum" }],
  };
  return sumAsLoops(kernel, product, rows, columns);
}

/** A stage whose result is the product, then the epilogue, with a loop for each digit of rows and columns. */
export function sumAsLoops(
  kernel: MatmulKernel,
  product: Stage,
  rows: readonly number[],
  columns: readonly number[],
): LoopKernel {
  const { batch, m, n, buffers, scalars, label } = kernel;
  const epilogue = withStrides(kernel.epilogue, (strides) => [
    ...strides.slice(0, batch.length),
    ...spread([strides[batch.length]], [m], rows),
    ...spread([strides[batch.length + 1]], [n], columns),
  ]);
  const code = epilogue.code.map((instruction): Stage["code"][number] =>
    instruction.op === "product"
      ? { op: "result", dtype: instruction.dtype, stage: 0, result: 0 }
      : instruction,
  );
  return {
    kind: "loop",
    buffers,
    scalars,
    label,
    outer: [...batch, ...rows, ...columns],
    scratch: [],
    stages: [product, { ...epilogue, code }],
  };
}
