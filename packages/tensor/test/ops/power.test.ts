import { ArgumentError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { tensor } from "../../src/create.ts";

test("small powers are exact", () => {
  const x = tensor([-3, 2]);
  expect(x.pow(2).arraySync()).toEqual([9, 4]);
  expect(x.pow(3).arraySync()).toEqual([-27, 8]);
  expect(x.pow(0).arraySync()).toEqual([1, 1]);
  expect(x.pow(-1).dataSync()[1]).toBe(0.5);
  expect(tensor([4]).pow(0.5).arraySync()).toEqual([2]);
  expect(tensor([4]).pow(-0.5).arraySync()).toEqual([0.5]);
});

test("integers stay integers", () => {
  const x = tensor([-3, 2], { dtype: "int32" });
  expect(x.pow(5).arraySync()).toEqual([-243, 32]);
  expect(x.pow(5).dtype).toBe("int32");
  expect(x.pow(tensor([2, 10], { dtype: "int32" })).arraySync()).toEqual([9, 1024]);
  expect(() => x.pow(-2)).toThrow(ArgumentError);
  expect(() => x.pow(-2)).toThrow(
    'pow: an integer tensor must have an exponent of at least 0, got -2. Convert it with to("float32").',
  );
});

test("gradients where the formula has no value", () => {
  const base = tensor([0, 0, 2], { requiresGrad: true });
  const exponent = tensor([0, 2, 3], { requiresGrad: true });
  base.pow(exponent).sum().backward();
  expect(base.grad?.arraySync()).toEqual([0, 0, 12]);
  const slopes = exponent.grad?.dataSync() ?? [];
  expect([...slopes].slice(0, 2)).toEqual([0, 0]);
  expect(slopes[2]).toBeCloseTo(8 * Math.log(2), 5);
});

test("the power 0 has the gradient 0", () => {
  const x = tensor([0, 3], { requiresGrad: true });
  x.pow(0).sum().backward();
  expect(x.grad?.arraySync()).toEqual([0, 0]);
});
