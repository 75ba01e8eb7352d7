import { ArgumentError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { tensor } from "../src/create.ts";
import { isGradEnabled, noGrad } from "../src/grad-mode.ts";

test("nothing recorded inside noGrad requires a gradient", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const y = noGrad(() => x.mul(2));
  expect(y.requiresGrad).toBe(false);
  expect(y.isLeaf).toBe(true);
  expect(x.mul(2).requiresGrad).toBe(true);
});

test("calls nest, and the mode comes back after an error", () => {
  noGrad(() => {
    noGrad(() => 1);
    expect(isGradEnabled()).toBe(false);
  });
  expect(() =>
    noGrad(() => {
      throw new RangeError("from inside");
    }),
  ).toThrow("from inside");
  expect(isGradEnabled()).toBe(true);
});

test("a function that returns a promise is refused, and its rejection is handled", async () => {
  const failing = () => noGrad(async () => Promise.reject(new Error("lost")));
  expect(failing).toThrow(ArgumentError);
  expect(failing).toThrow("noGrad: fn must be synchronous, got one that returns a promise.");
  await Promise.resolve();
  expect(isGradEnabled()).toBe(true);
});
