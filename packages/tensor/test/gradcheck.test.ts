import { ArgumentError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { tensor } from "../src/create.ts";
import { manualSeed } from "../src/generator.ts";
import { noGrad } from "../src/grad-mode.ts";
import { GradcheckError, gradcheck, gradgradcheck } from "../src/gradcheck.ts";
import { randn } from "../src/random.ts";
import { record } from "../src/record.ts";
import type { Tensor } from "../src/tensor.ts";

/** `x²`, with a gradient that is too large by the factor. */
function squareWithGradient(factor: number): (x: Tensor) => Tensor {
  return (x) => record("square", x.mul(x).node, [x], [(grad) => grad.mul(x).mul(2 * factor)]);
}

describe("gradcheck", () => {
  test("accepts right gradients, of several inputs and outputs", async () => {
    const x = tensor([0.5, -1.25, 2]);
    const y = tensor([[1], [2]]);
    await expect(gradcheck((a, b) => [a.mul(b).exp(), a.sum()], [x, y])).resolves.toBe(true);
    await expect(gradgradcheck((a, b) => a.mul(b).exp(), [x, y])).resolves.toBe(true);
  });

  test("names the input, the element, and both numbers", async () => {
    const x = tensor([[1, 3]], { dtype: "float64" });
    const check = gradcheck((_, b) => squareWithGradient(1.5)(b).sum(), [x, x]);
    await expect(check).rejects.toThrow(GradcheckError);
    await expect(check).rejects.toThrow(
      /^gradcheck: the gradient of input 1 at \[0\]\[\d\] must be the slope, got gradient [\d.]+ and slope [\d.]+; they may differ by [\d.e-]+\.$/,
    );
  });

  test("finds a wrong gradient in a large input", async () => {
    manualSeed(0);
    const check = gradcheck(squareWithGradient(1.01), [randn([10, 20])]);
    await expect(check).rejects.toThrow(/input 0 along random direction \d/);
    await expect(gradcheck(squareWithGradient(1), [randn([10, 20])])).resolves.toBe(true);
  });

  test("finds a missing gradient, and a gradient that is not a number", async () => {
    const x = tensor([1, 2]);
    await expect(gradcheck((a) => a.add(noGrad(() => a.mul(2))), [x])).rejects.toThrow(/slope/);
    const bad = (a: Tensor) => record("f", a.node, [a], [(grad) => grad.mul(Number.NaN)]);
    await expect(gradcheck(bad, [x])).rejects.toThrow(/got gradient NaN/);
  });

  test("gradgradcheck finds a wrong second derivative behind a right first one", async () => {
    // The gradient is right, but recorded as if it did not depend on x.
    const square = (x: Tensor) =>
      record("square", x.mul(x).node, [x], [(grad) => grad.mul(x.detach()).mul(2)]);
    const x = tensor([1, 2]);
    await expect(gradcheck(square, [x])).resolves.toBe(true);
    await expect(gradgradcheck(square, [x])).rejects.toThrow(/^gradgradcheck: the gradient of/);
  });

  test("checks only inputs that require a gradient, if one does", async () => {
    const wrong = squareWithGradient(2);
    const x = tensor([1], { requiresGrad: true });
    const y = tensor([1]);
    await expect(gradcheck((a, b) => a.mul(3).add(wrong(b)), [x, y])).resolves.toBe(true);
    await expect(gradcheck((a, b) => a.mul(3).add(wrong(b)), [y, y])).rejects.toThrow(/input 1/);
  });

  test("passes integers through", async () => {
    const mask = tensor([true, false]);
    const x = tensor([1, 2]);
    await expect(gradcheck((m, a) => a.mul(m), [mask, x])).resolves.toBe(true);
  });

  test("says when there is nothing to check", async () => {
    await expect(gradcheck((a) => a, [tensor([1], { dtype: "int32" })])).rejects.toThrow(
      new ArgumentError("gradcheck: an input must be floating, got none that is.", {
        op: "gradcheck",
      }),
    );
  });

  test("no gradient is right where the slope is 0, and only there", async () => {
    const x = tensor([1.5, -2]);
    await expect(gradcheck((a) => [a.argmax(), a.detach().sign()], [x])).resolves.toBe(true);
    await expect(gradgradcheck((a) => a.floor(), [x])).resolves.toBe(true);
    await expect(gradcheck((a) => a.detach(), [x])).rejects.toThrow(/got gradient 0 and slope/);
  });
});
