import { expect, test } from "vitest";
import { tensor } from "../../src/create.ts";
import type { Tensor } from "../../src/tensor.ts";

const functions: readonly [string, (x: Tensor) => Tensor, (x: number) => number][] = [
  ["exp", (x) => x.exp(), Math.exp],
  ["expm1", (x) => x.expm1(), Math.expm1],
  ["log", (x) => x.log(), Math.log],
  ["log1p", (x) => x.log1p(), Math.log1p],
  ["log2", (x) => x.log2(), Math.log2],
  ["sin", (x) => x.sin(), Math.sin],
  ["cos", (x) => x.cos(), Math.cos],
  ["tan", (x) => x.tan(), Math.tan],
  ["asin", (x) => x.asin(), Math.asin],
  ["acos", (x) => x.acos(), Math.acos],
  ["atan", (x) => x.atan(), Math.atan],
  ["sinh", (x) => x.sinh(), Math.sinh],
  ["cosh", (x) => x.cosh(), Math.cosh],
  ["tanh", (x) => x.tanh(), Math.tanh],
];

test.each(functions)("%s", (_, apply, reference) => {
  const values = [0.1, 0.5, 0.9];
  const y = apply(tensor(values, { dtype: "float64" })).dataSync();
  values.forEach((x, i) => {
    expect(y[i]).toBeCloseTo(reference(x), 12);
  });
});

test("erf", () => {
  const y = tensor([0, 0.5, -2], { dtype: "float64" }).erf().dataSync();
  [0, 0.5204998778130465, -0.9953222650189527].forEach((value, i) => {
    expect(y[i]).toBeCloseTo(value, 12);
  });
});

test("integers become float32", () => {
  const x = tensor([0, 1], { dtype: "int32" });
  expect(x.exp().dtype).toBe("float32");
  expect(x.cos().dataSync()[0]).toBe(1);
});
