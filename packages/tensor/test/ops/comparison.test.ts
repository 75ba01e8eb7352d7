import { expect, test } from "vitest";
import { tensor } from "../../src/create.ts";

const nan = Number.NaN;
const infinity = Number.POSITIVE_INFINITY;

test("comparisons give bool", () => {
  const a = tensor([1, 2, 3]);
  expect(a.lt(2).dtype).toBe("bool");
  expect(a.lt(2).arraySync()).toEqual([1, 0, 0]);
  expect(a.le(2).arraySync()).toEqual([1, 1, 0]);
  expect(a.gt(2).arraySync()).toEqual([0, 0, 1]);
  expect(a.ge(2).arraySync()).toEqual([0, 1, 1]);
  expect(a.eq(2).arraySync()).toEqual([0, 1, 0]);
  expect(a.ne(2).arraySync()).toEqual([1, 0, 1]);
});

test("nothing compares with NaN", () => {
  const a = tensor([nan]);
  for (const result of [a.lt(1), a.le(1), a.gt(1), a.ge(1), a.eq(a)]) {
    expect(result.arraySync()).toEqual([0]);
  }
  expect(a.ne(a).arraySync()).toEqual([1]);
});

test("an integer is compared with a fraction as a float", () => {
  expect(tensor([1, 2], { dtype: "int32" }).lt(1.5).arraySync()).toEqual([1, 0]);
});

test("logic", () => {
  const a = tensor([0, 0, 2, nan]);
  const b = tensor([0, 1, 1, 0]);
  expect(a.logicalAnd(b).arraySync()).toEqual([0, 0, 1, 0]);
  expect(a.logicalOr(b).arraySync()).toEqual([0, 1, 1, 1]);
  expect(a.logicalNot().arraySync()).toEqual([1, 1, 0, 0]);
});

test("kinds of numbers", () => {
  const x = tensor([1, nan, infinity, -infinity]);
  expect(x.isnan().arraySync()).toEqual([0, 1, 0, 0]);
  expect(x.isinf().arraySync()).toEqual([0, 0, 1, 1]);
  expect(x.isfinite().arraySync()).toEqual([1, 0, 0, 0]);
  const integer = tensor([1], { dtype: "int32" });
  expect(integer.isinf().arraySync()).toEqual([0]);
  expect(integer.isfinite().arraySync()).toEqual([1]);
});

test("allclose", () => {
  const a = tensor([1, 1000]);
  expect(a.allclose(tensor([1, 1000.001]))).toBe(true);
  expect(a.allclose(tensor([1, 1000.1]))).toBe(false);
  expect(a.allclose(tensor([1, 1000.1]), { rtol: 1e-3 })).toBe(true);
  expect(a.allclose(tensor([1.05, 1000]), { atol: 0.1 })).toBe(true);
  expect(tensor([infinity, nan]).allclose(tensor([infinity, nan]))).toBe(false);
  expect(tensor([infinity, nan]).allclose(tensor([infinity, nan]), { equalNan: true })).toBe(true);
  expect(tensor([1]).allclose(tensor([infinity]))).toBe(false);
  expect(tensor([1], { dtype: "int32" }).allclose(tensor([2], { dtype: "int32" }))).toBe(false);
});

test("allclose compares the values as they are read, to the last bit", () => {
  const values = (length: number, seed: number) =>
    tensor(Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9 + seed) * 3));
  const x = values(203 * 16, 1).reshape([203, 16]);
  const layer = () => {
    const [weight, bias] = [values(32, 2).reshape([2, 16]), values(2, 3)];
    return x.matmul(weight.t()).add(bias);
  };
  expect(layer().allclose(layer(), { rtol: 0, atol: 0 })).toBe(true);
});
