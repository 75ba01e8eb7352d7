import { manualSeed, ones, ShapeError, tensor, zeros } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { Linear } from "../src/index.ts";

describe("Linear", () => {
  test("y = x Wᵀ + b, worked out by hand, with gradients", () => {
    const layer = new Linear(2, 3);
    const weight = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    layer.loadStateDict({ weight, bias: tensor([0.5, 0, -1]) });
    const x = tensor([[10, 1]], { requiresGrad: true });
    const y = layer.forward(x);
    expect(y.arraySync()).toEqual([[12.5, 34, 55]]);
    y.mul(tensor([1, 0, 2]))
      .sum()
      .backward();
    expect(x.grad?.arraySync()).toEqual([[11, 14]]);
    expect(layer.weight.grad?.arraySync()).toEqual([
      [10, 1],
      [0, 0],
      [20, 2],
    ]);
    expect(layer.bias?.grad?.arraySync()).toEqual([1, 0, 2]);
  });

  test("takes any number of axes in front, and none", () => {
    const layer = new Linear(3, 2);
    expect(layer.forward(zeros([4, 5, 3])).shape).toEqual([4, 5, 2]);
    expect(layer.forward(zeros([3])).arraySync()).toEqual(layer.bias?.arraySync());
  });

  test("without bias there is none", () => {
    const layer = new Linear(3, 2, { bias: false });
    expect(layer.bias).toBeUndefined();
    expect(Object.keys(layer.stateDict())).toEqual(["weight"]);
    expect(layer.numParameters).toBe(6);
    expect(layer.forward(zeros([3])).arraySync()).toEqual([0, 0]);
  });

  test("starts uniform on ±1/√inFeatures, fixed by the seed", () => {
    manualSeed(7);
    const { weight, bias } = new Linear(16, 4000);
    const values = [...weight.dataSync()];
    const moments = (power: number) =>
      values.reduce((sum, v) => sum + v ** power, 0) / values.length;
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.25);
    expect(Math.min(...values)).toBeLessThan(-0.2499);
    expect(Math.max(...values)).toBeLessThanOrEqual(0.25);
    expect(Math.max(...values)).toBeGreaterThan(0.2499);
    expect(Math.abs(moments(1))).toBeLessThan(0.002);
    expect(moments(2)).toBeCloseTo(0.25 ** 2 / 3, 3);
    const biases = bias!.dataSync();
    expect(Math.max(...biases)).toBeGreaterThan(0.249);
    expect(Math.min(...biases)).toBeGreaterThanOrEqual(-0.25);
    manualSeed(7);
    expect([...new Linear(16, 4000).weight.dataSync()]).toEqual(values);
  });

  test("refuses sizes and inputs that do not fit", () => {
    expect(() => new Linear(2, 3).forward(ones([4, 5]))).toThrow(ShapeError);
    expect(() => new Linear(2, 3).forward(ones([4, 5]))).toThrow(
      "Linear: the last size of x must be inFeatures = 2, got [4, 5].",
    );
    expect(() => new Linear(2, 3).forward(ones([]))).toThrow("got [].");
    expect(() => new Linear(0, 3)).toThrow("Linear: inFeatures must be a positive integer, got 0.");
    expect(() => new Linear(3, [8] as never)).toThrow("must be a positive integer, got [8].");
    expect(() => new Linear(2, Number.NaN)).toThrow(
      "outFeatures must be a positive integer, got NaN",
    );
    expect(() => new Linear(2, 1.5)).toThrow("got 1.5");
  });
});
