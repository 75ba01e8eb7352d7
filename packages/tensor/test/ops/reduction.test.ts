import { ArgumentError, DTypeError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../../src/create.ts";

const x = () =>
  tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);

describe("axes", () => {
  test("one, several, all, kept", () => {
    expect(x().sum().arraySync()).toBe(21);
    expect(x().sum(0).arraySync()).toEqual([5, 7, 9]);
    expect(x().sum(-1).arraySync()).toEqual([6, 15]);
    expect(x().sum([0, 1]).arraySync()).toBe(21);
    expect(x().sum(1, { keepdim: true }).arraySync()).toEqual([[6], [15]]);
    expect(x().mean(0, { keepdim: true }).arraySync()).toEqual([[2.5, 3.5, 4.5]]);
  });

  test("a scalar is its own sum", () => {
    expect(tensor(3).sum().itemSync()).toBe(3);
    expect(tensor(3).sum(0).itemSync()).toBe(3);
  });

  test("one that does not exist is refused", () => {
    expect(() => x().sum(2)).toThrow("sum: the axis must be in [-2, 1], got 2.");
    expect(() => x().mean(-3)).toThrow("mean: the axis must be in [-2, 1], got -3.");
    expect(() => x().std(5)).toThrow("std: the axis must be in [-2, 1], got 5.");
    // @ts-expect-error: options in the place of the axis, as JavaScript may have them.
    expect(() => x().std({ correction: 0 })).toThrow(
      'std: the axis must be in [-2, 1], got {"correction":0}. Options follow the axis',
    );
  });
});

test("integers and booleans add up to int32; their mean is refused", () => {
  const flags = tensor([true, false, true]);
  expect(flags.sum().dtype).toBe("int32");
  expect(flags.sum().itemSync()).toBe(2);
  expect(tensor([200, 100], { dtype: "uint8" }).sum().itemSync()).toBe(300);
  expect(tensor([2, 3], { dtype: "int32" }).prod().itemSync()).toBe(6);
  expect(() => tensor([1], { dtype: "int32" }).mean()).toThrow(DTypeError);
  expect(() => tensor([1], { dtype: "int32" }).mean()).toThrow(
    'mean: the tensor must be floating, got int32. Convert it with to("float32").',
  );
});

test("nothing adds up to 0 and multiplies to 1", () => {
  const empty = zeros([2, 0]);
  expect(empty.sum(1).arraySync()).toEqual([0, 0]);
  expect(empty.prod(1).arraySync()).toEqual([1, 1]);
  expect(empty.any(1).arraySync()).toEqual([0, 0]);
  expect(empty.all(1).arraySync()).toEqual([1, 1]);
});

test("the gradient of prod is right with no, one and two zeros", () => {
  const y = tensor(
    [
      [2, 3, 4],
      [2, 0, 4],
      [0, 0, 4],
    ],
    { requiresGrad: true },
  );
  y.prod(1).sum().backward();
  expect(y.grad?.arraySync()).toEqual([
    [12, 8, 6],
    [0, 8, 0],
    [0, 0, 0],
  ]);
});

test("var and std are unbiased unless told otherwise", () => {
  const y = tensor([1, 2, 3, 4]);
  expect(y.var().itemSync()).toBeCloseTo(5 / 3, 6);
  expect(y.var(0, { correction: 0 }).itemSync()).toBeCloseTo(1.25, 6);
  expect(y.std().itemSync()).toBeCloseTo(Math.sqrt(5 / 3), 6);
  expect(tensor([1]).var().itemSync()).toBeNaN();
});

test("std of equal values has the gradient 0", () => {
  const y = tensor([2, 2], { requiresGrad: true });
  y.std().backward();
  expect(y.grad?.arraySync()).toEqual([0, 0]);
});

test("norms", () => {
  const y = tensor([3, -4]);
  expect(y.norm().itemSync()).toBe(5);
  expect(y.norm(0, { p: 1 }).itemSync()).toBe(7);
  expect(y.norm(0, { p: Number.POSITIVE_INFINITY }).itemSync()).toBe(4);
  expect(y.norm(0, { p: Number.NEGATIVE_INFINITY }).itemSync()).toBe(3);
  expect(y.norm(0, { p: 0 }).itemSync()).toBe(2);
  expect(y.norm(0, { p: 3 }).itemSync()).toBeCloseTo(91 ** (1 / 3), 5);
  expect(() => y.norm(0, { p: Number.NaN })).toThrow(ArgumentError);
  expect(() => y.norm(0, { p: Number.NaN })).toThrow("norm: p must be a number, got NaN.");
});

test("the norm of the zero vector has the gradient 0", () => {
  const y = tensor([0, 0], { requiresGrad: true });
  y.norm().backward();
  expect(y.grad?.arraySync()).toEqual([0, 0]);
});

test("any and all", () => {
  const y = tensor([
    [0, 1],
    [1, 1],
    [0, 0],
  ]);
  expect(y.any(1).arraySync()).toEqual([1, 1, 0]);
  expect(y.all(1).arraySync()).toEqual([0, 1, 0]);
  expect(y.any().dtype).toBe("bool");
});

test("logsumexp neither overflows nor turns infinities into NaN", () => {
  expect(tensor([1000, 1000]).logsumexp().itemSync()).toBeCloseTo(1000 + Math.LN2, 3);
  const infinity = Number.POSITIVE_INFINITY;
  expect(tensor([-infinity, -infinity]).logsumexp(0).itemSync()).toBe(-infinity);
  expect(tensor([infinity, 0]).logsumexp(0).itemSync()).toBe(infinity);
  expect(tensor([[0, 0]]).logsumexp(1, { keepdim: true }).shape).toEqual([1, 1]);
});
