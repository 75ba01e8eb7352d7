import { ArgumentError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { tensor } from "../../src/create.ts";

test("conversions", () => {
  const x = tensor([-1.7, 0, 2.9, Number.NaN]);
  expect(x.to("int32").arraySync()).toEqual([-1, 0, 2, 0]);
  expect(x.to("bool").arraySync()).toEqual([1, 0, 1, 1]);
  expect(x.to("float64").dtype).toBe("float64");
  expect(x.to("float32")).toBe(x);
});

test("gradients come back in the dtype of the input", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  x.to("float64").mul(3).sum().backward();
  expect(x.grad?.dtype).toBe("float32");
  expect(x.grad?.arraySync()).toEqual([3, 3]);
  expect(x.to("int32").requiresGrad).toBe(false);
});

test("a dtype that does not exist is refused", () => {
  const wrong = "float16" as "float32";
  expect(() => tensor([1]).to(wrong)).toThrow(ArgumentError);
  expect(() => tensor([1]).to(wrong)).toThrow(
    'to: dtype must be "bool" or "uint8" or "int32" or "float32" or "float64", got float16.',
  );
});
