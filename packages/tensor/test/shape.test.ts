import { ShapeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { show } from "../src/errors.ts";
import { sameShape, sizeOf, toAxes, toAxis } from "../src/shape.ts";

test("a shape is shown as it is written", () => {
  expect(show([2, 3])).toBe("[2, 3]");
  expect(show([])).toBe("[]");
});

test("the size is the product, 1 without axes", () => {
  expect(sizeOf([2, 3, 4])).toBe(24);
  expect(sizeOf([])).toBe(1);
  expect(sizeOf([2, 0])).toBe(0);
});

test("shapes are the same if all sizes are", () => {
  expect(sameShape([2, 3], [2, 3])).toBe(true);
  expect(sameShape([2, 3], [3, 2])).toBe(false);
  expect(sameShape([2], [2, 1])).toBe(false);
});

test("negative axes count from the end", () => {
  expect(toAxis("sum", 1, 2)).toBe(1);
  expect(toAxis("sum", -1, 2)).toBe(1);
  expect(toAxis("sum", -1, 0)).toBe(0);
});

test("an axis that does not exist is refused", () => {
  expect(() => toAxis("sum", 2, 2)).toThrow("sum: the axis must be in [-2, 1], got 2.");
  expect(() => toAxis("sum", 0.5, 2)).toThrow(ShapeError);
  expect(() => toAxis("sum", 1, 0)).toThrow("sum: the axis must be in [-1, 0], got 1.");
});

test("axes are sorted; none means all", () => {
  expect(toAxes("sum", [-1, 0], 3)).toEqual([0, 2]);
  expect(toAxes("sum", undefined, 3)).toEqual([0, 1, 2]);
  expect(toAxes("sum", [], 2)).toEqual([0, 1]);
  expect(toAxes("sum", -1, 0)).toEqual([]);
  expect(() => toAxes("sum", 1, 0)).toThrow("sum: the axis must be in [-1, 0], got 1.");
});

test("an axis must not be given twice", () => {
  expect(() => toAxes("sum", [0, -2], 2)).toThrow("sum: axes must be distinct, got [0, -2].");
});
