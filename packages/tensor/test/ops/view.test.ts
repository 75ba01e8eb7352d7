import { ArgumentError, ShapeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { arange } from "../../src/create.ts";

const x = () => arange(6).reshape([2, 3]);

test("reshape completes one size", () => {
  expect(x().reshape([3, -1]).arraySync()).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
  expect(x().view([-1]).shape).toEqual([6]);
});

test("reshape refuses other numbers of elements", () => {
  expect(() => x().reshape([4, 2])).toThrow(ShapeError);
  expect(() => x().reshape([4, 2])).toThrow(
    "reshape: the number of elements must stay the same, got [2, 3] for [4, 2].",
  );
  expect(() => x().reshape([4, -1])).toThrow(
    "reshape: the number of elements must stay the same, got [2, 3] for [4, -1].",
  );
  expect(() => x().reshape([-1, -1])).toThrow(
    "reshape: sizes must be whole numbers, at most one of them -1, got [-1, -1].",
  );
  expect(() => x().reshape([1.5, 4])).toThrow("at most one of them -1, got [1.5, 4].");
});

test("flatten and unflatten", () => {
  const y = arange(12).reshape([2, 3, 2]);
  expect(y.flatten().shape).toEqual([12]);
  expect(y.flatten(1).shape).toEqual([2, 6]);
  expect(y.flatten(0, 1).shape).toEqual([6, 2]);
  expect(y.flatten(1).unflatten(1, [3, -1]).shape).toEqual([2, 3, 2]);
  expect(() => y.flatten(2, 0)).toThrow(
    "flatten: startDim must not be behind endDim, got 2 and 0.",
  );
  expect(() => y.unflatten(0, [3, -1])).toThrow(
    "unflatten: the number of elements must stay the same, got [2] for [3, -1].",
  );
});

test("squeeze and unsqueeze", () => {
  const y = x().reshape([1, 2, 1, 3]);
  expect(y.squeeze().shape).toEqual([2, 3]);
  expect(y.squeeze(0).shape).toEqual([2, 1, 3]);
  expect(y.squeeze(1).shape).toEqual([1, 2, 1, 3]);
  expect(y.squeeze([0, -2]).shape).toEqual([2, 3]);
  expect(x().unsqueeze(0).shape).toEqual([1, 2, 3]);
  expect(x().unsqueeze(-1).shape).toEqual([2, 3, 1]);
  expect(() => x().unsqueeze(3)).toThrow("unsqueeze: the axis must be in [-3, 2], got 3.");
});

test("permute, transpose and t", () => {
  const turned = [
    [0, 3],
    [1, 4],
    [2, 5],
  ];
  expect(x().permute([1, 0]).arraySync()).toEqual(turned);
  expect(x().transpose(0, -1).arraySync()).toEqual(turned);
  expect(x().t().arraySync()).toEqual(turned);
  expect(() => x().permute([0, 0])).toThrow(
    "permute: each of the 2 axes must be named once, got [0, 0] for [2, 3].",
  );
  expect(() => x().unsqueeze(0).t()).toThrow(
    "t: the tensor must have at most two axes, got [1, 2, 3]. Use transpose(dim0, dim1).",
  );
});

test("expand repeats axes of size 1", () => {
  const y = arange(2).reshape([2, 1]);
  expect(y.expand([2, 2, 3]).shape).toEqual([2, 2, 3]);
  expect(y.expand([-1, 2]).arraySync()).toEqual([
    [0, 0],
    [1, 1],
  ]);
  expect(() => y.expand([3, 1])).toThrow(
    "expand: repeated axes must have size 1, got [2, 1] for [3, 1].",
  );
  expect(() => y.expand([2])).toThrow(ShapeError);
});

test("repeat lays copies side by side, repeatInterleave element by element", () => {
  const y = arange(2);
  expect(y.repeat([2]).arraySync()).toEqual([0, 1, 0, 1]);
  expect(y.repeat([2, 1]).arraySync()).toEqual([
    [0, 1],
    [0, 1],
  ]);
  expect(y.repeatInterleave(2).arraySync()).toEqual([0, 0, 1, 1]);
  expect(x().repeatInterleave(2, 0).shape).toEqual([4, 3]);
  expect(() => x().repeat([2])).toThrow(
    "repeat: there must be a number for each axis, got [2] for [2, 3].",
  );
  expect(() => y.repeatInterleave(-1)).toThrow(ArgumentError);
  expect(() => y.repeat([0.5])).toThrow(
    "repeat: repeats must be an integer of at least 0, got 0.5.",
  );
});
