import { ArgumentError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { tensor } from "../../src/create.ts";

test("maximum and minimum share the gradient where both are equal", () => {
  const a = tensor([1, 2, 3], { requiresGrad: true });
  const b = tensor([3, 2, 1], { requiresGrad: true });
  a.maximum(b).sum().backward();
  expect(a.grad?.arraySync()).toEqual([0, 0.5, 1]);
  expect(b.grad?.arraySync()).toEqual([1, 0.5, 0]);
  a.grad = null;
  expect(a.minimum(2).arraySync()).toEqual([1, 2, 2]);
  a.minimum(b).sum().backward();
  expect(a.grad).not.toBeNull();
});

test("NaN wins", () => {
  expect(tensor([Number.NaN]).maximum(1).arraySync()).toEqual([Number.NaN]);
  expect(tensor([1]).minimum(Number.NaN).arraySync()).toEqual([Number.NaN]);
});

test("clamp takes either bound, or both, in two ways", () => {
  const x = tensor([-2, 0, 2]);
  expect(x.clamp(-1, 1).arraySync()).toEqual([-1, 0, 1]);
  expect(x.clamp(-1).arraySync()).toEqual([-1, 0, 2]);
  expect(x.clamp(undefined, 1).arraySync()).toEqual([-2, 0, 1]);
  expect(x.clamp({ min: -1, max: 1 }).arraySync()).toEqual([-1, 0, 1]);
  expect(x.clamp(tensor([0, 1, 0]), tensor([9, 9, 1])).arraySync()).toEqual([0, 1, 1]);
  expect(() => x.clamp(undefined)).toThrow(ArgumentError);
  expect(() => x.clamp({})).toThrow("clamp: one bound at least must be given, got none.");
});

test("clamp has the slope 1 at its bounds", () => {
  const x = tensor([-2, -1, 0, 1, 2], { requiresGrad: true });
  x.clamp(-1, 1).sum().backward();
  expect(x.grad?.arraySync()).toEqual([0, 1, 1, 1, 0]);
});
