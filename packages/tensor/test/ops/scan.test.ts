import { expect, test } from "vitest";
import { tensor, zeros } from "../../src/create.ts";
import { grad } from "../../src/index.ts";

const x = () =>
  tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    { requiresGrad: true },
  );

test("cumsum along each axis, with its gradient", () => {
  expect(x().cumsum(0).arraySync()).toEqual([
    [1, 2, 3],
    [5, 7, 9],
  ]);
  expect(x().cumsum(-1).arraySync()).toEqual([
    [1, 3, 6],
    [4, 9, 15],
  ]);
  expect(tensor(3).cumsum(0).itemSync()).toBe(3);
  expect(zeros([2, 0]).cumsum(1).shape).toEqual([2, 0]);
  const y = x();
  y.cumsum(1)
    .mul(tensor([1, 10, 100]))
    .sum()
    .backward();
  expect(y.grad?.arraySync()).toEqual([
    [111, 110, 100],
    [111, 110, 100],
  ]);
});

test("integers and booleans add up to int32", () => {
  expect(tensor([true, true]).cumsum(0).dtype).toBe("int32");
  expect(tensor([200, 100], { dtype: "uint8" }).cumsum(0).arraySync()).toEqual([200, 300]);
  expect(
    tensor([2 ** 31 - 1, 1], { dtype: "int32" })
      .cumsum(0)
      .arraySync(),
  ).toEqual([2 ** 31 - 1, -(2 ** 31)]);
  expect(tensor(true).cumprod(0).dtype).toBe("int32");
});

test("cumprod: the gradient with no, one and two zeros", () => {
  expect(x().cumprod(1).arraySync()).toEqual([
    [1, 2, 6],
    [4, 20, 120],
  ]);
  const y = tensor(
    [
      [2, 3, 4],
      [2, 0, 4],
      [0, 0, 4],
    ],
    { requiresGrad: true },
  );
  y.cumprod(1).sum().backward();
  expect(y.grad?.arraySync()).toEqual([
    [16, 10, 6],
    [1, 10, 0],
    [1, 0, 0],
  ]);
});

test("second gradients of cumprod and prod at zeros", () => {
  for (const last of [
    (y: ReturnType<typeof x>) => y.prod(),
    (y: ReturnType<typeof x>) => y.cumprod(0).select(0, 2),
  ]) {
    const y = tensor([0, 0, 3], { requiresGrad: true });
    const [first] = grad(last(y), y, { createGraph: true });
    expect(first.arraySync()).toEqual([0, 0, 0]);
    // ∂²(abc) / ∂a∂b = c = 3, all others are 0 here.
    const [second] = grad(first.mul(tensor([1, 10, 100])).sum(), y);
    expect(second.arraySync()).toEqual([30, 3, 0]);
  }
});

test("the axis must exist", () => {
  expect(() => x().cumsum(2)).toThrow("cumsum: the axis must be in [-2, 1], got 2.");
  expect(() => x().cumprod(-3)).toThrow("cumprod: the axis must be in [-2, 1], got -3.");
});
