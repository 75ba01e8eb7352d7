import { ArgumentError, ShapeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { arange, tensor } from "../../src/create.ts";

const x = () => arange(6);

test("slice is Python's", () => {
  expect(x().slice(0, 1, 4).arraySync()).toEqual([1, 2, 3]);
  expect(x().slice(0, -2).arraySync()).toEqual([4, 5]);
  expect(x().slice(0, 0, -2).arraySync()).toEqual([0, 1, 2, 3]);
  expect(x().slice(0, 1, 100, { step: 2 }).arraySync()).toEqual([1, 3, 5]);
  expect(x().slice(0, 4, 2).arraySync()).toEqual([]);
  expect(x().slice(0, -100, 2).arraySync()).toEqual([0, 1]);
});

test("slice says what it cannot do", () => {
  expect(() => x().slice(0, 0, 6, { step: -1 })).toThrow(ArgumentError);
  expect(() => x().slice(0, 0, 6, { step: -1 })).toThrow(
    "slice: step must be an integer of at least 1, got -1.",
  );
  expect(() => x().slice(0, 0, 6, { step: 0 })).toThrow(
    "step must be an integer of at least 1, got 0.",
  );
  expect(() => x().slice(1, 0)).toThrow("slice: the axis must be in [-1, 0], got 1.");
  expect(() => x().slice(0, 0.5)).toThrow("slice: positions must be integers, got 0.5.");
  expect(() => tensor(1).slice(0, 0)).toThrow("slice: the tensor must have an axis, got a scalar.");
});

test("the gradient of a slice goes back to where it came from", () => {
  const y = tensor([1, 2, 3, 4, 5, 6, 7], { requiresGrad: true });
  y.slice(0, 1, 7, { step: 2 })
    .mul(tensor([10, 20, 30]))
    .sum()
    .backward();
  expect(y.grad?.arraySync()).toEqual([0, 10, 0, 20, 0, 30, 0]);
});

test("narrow and select", () => {
  const y = arange(6).reshape([2, 3]);
  expect(y.narrow(1, 1, 2).arraySync()).toEqual([
    [1, 2],
    [4, 5],
  ]);
  expect(y.select(0, -1).arraySync()).toEqual([3, 4, 5]);
  expect(y.select(1, 0).arraySync()).toEqual([0, 3]);
  expect(() => y.narrow(1, 2, 2)).toThrow(
    "narrow: the part must be inside the axis, got start 2 and length 2 for size 3.",
  );
  expect(() => y.select(1, 3)).toThrow(
    "select: the index must be in [-3, 2], got 3 for axis 1 of [2, 3].",
  );
});

test("pad starts at the last axis, takes any value, and cuts off", () => {
  const y = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(y.pad([1, 0]).arraySync()).toEqual([
    [0, 1, 2],
    [0, 3, 4],
  ]);
  expect(y.pad([0, 0, 0, 1], { value: Number.NEGATIVE_INFINITY }).arraySync()).toEqual([
    [1, 2],
    [3, 4],
    [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ]);
  expect(y.pad([-1, 1]).arraySync()).toEqual([
    [2, 0],
    [4, 0],
  ]);
  expect(() => y.pad([1])).toThrow(ShapeError);
  expect(() => y.pad([1])).toThrow(
    "pad: there must be two integers for each of the last axes, got [1] for [2, 2].",
  );
  expect(() => y.pad([-2, -1])).toThrow(
    "pad: no more must be cut off than there is, got [-2, -1] for [2, 2].",
  );
});

test("the gradient of pad is what was inside", () => {
  const y = tensor([1, 2], { requiresGrad: true });
  y.pad([1, 1], { value: 5 })
    .mul(tensor([1, 10, 100, 1000]))
    .sum()
    .backward();
  expect(y.grad?.arraySync()).toEqual([10, 100]);
});

test("flip reverses axes", () => {
  const y = arange(4).reshape([2, 2]);
  expect(y.flip(0).arraySync()).toEqual([
    [2, 3],
    [0, 1],
  ]);
  expect(y.flip([0, 1]).arraySync()).toEqual([
    [3, 2],
    [1, 0],
  ]);
});
