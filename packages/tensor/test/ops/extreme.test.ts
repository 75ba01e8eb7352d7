import { ShapeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { tensor, zeros } from "../../src/create.ts";

const x = () =>
  tensor(
    [
      [1, 3, 3],
      [6, 5, 4],
    ],
    { requiresGrad: true },
  );

test("with an axis there are values and indices, of equal ones the first", () => {
  const { values, indices } = x().max(1);
  expect(values.arraySync()).toEqual([3, 6]);
  expect(indices.arraySync()).toEqual([1, 0]);
  expect(indices.dtype).toBe("int32");
  expect(x().min(0, { keepdim: true }).values.arraySync()).toEqual([[1, 3, 3]]);
  expect(x().min(0, { keepdim: true }).indices.shape).toEqual([1, 3]);
});

test("without an axis there is one value", () => {
  expect(x().max().itemSync()).toBe(6);
  expect(x().min().itemSync()).toBe(1);
  expect(x().argmax().itemSync()).toBe(3);
  expect(x().argmin().itemSync()).toBe(0);
  expect(x().argmax(1, { keepdim: true }).arraySync()).toEqual([[1], [0]]);
});

test("amax shares the gradient among equal elements, max(dim) gives it to the first", () => {
  const a = x();
  a.amax(1).sum().backward();
  expect(a.grad?.arraySync()).toEqual([
    [0, 0.5, 0.5],
    [1, 0, 0],
  ]);
  const b = x();
  b.max(1).values.sum().backward();
  expect(b.grad?.arraySync()).toEqual([
    [0, 1, 0],
    [1, 0, 0],
  ]);
});

test("NaN is the extreme", () => {
  const y = tensor([1, Number.NaN, 3]);
  expect(y.max().itemSync()).toBeNaN();
  expect(y.argmin().itemSync()).toBe(1);
});

test("dtypes stay", () => {
  expect(tensor([true, false]).amax().dtype).toBe("bool");
  expect(tensor([true, false]).min().itemSync()).toBe(0);
  expect(tensor([3, 9], { dtype: "uint8" }).max().dtype).toBe("uint8");
});

test("a scalar is its own extreme", () => {
  const { values, indices } = tensor(3).max(0);
  expect(values.itemSync()).toBe(3);
  expect(indices.itemSync()).toBe(0);
});

test("there is no extreme of nothing", () => {
  expect(() => zeros([2, 0]).amax(1)).toThrow(ShapeError);
  expect(() => zeros([2, 0]).argmax(1)).toThrow(
    "argmax: the reduced axes must not be empty, got [2, 0].",
  );
  expect(zeros([0, 2]).amax(1).shape).toEqual([0]);
});
