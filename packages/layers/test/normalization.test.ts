import { ArgumentError, ShapeError, tensor, zeros } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { Flatten, LayerNorm, RMSNorm } from "../src/index.ts";

describe("LayerNorm", () => {
  test("normalises the last axes; by hand: mean 3, variance 4", () => {
    const layer = new LayerNorm(2, { eps: 0 });
    layer.loadStateDict({ weight: tensor([10, 1]), bias: tensor([0, 0.5]) });
    expect(layer.forward(tensor([[1, 5]])).arraySync()).toEqual([[-10, 1.5]]);
  });

  test("eps is added to the variance", () => {
    const layer = new LayerNorm([2], { eps: 5, elementwiseAffine: false });
    const [a, b] = layer.forward(tensor([1, 5])).dataSync();
    expect([a, b]).toEqual([Math.fround(-2 / 3), Math.fround(2 / 3)]);
    expect(layer.parameters()).toEqual([]);
  });

  test("has the parameters that were asked for", () => {
    expect(new LayerNorm([3, 4]).namedParameters().map(([k, p]) => [k, p.shape])).toEqual([
      ["weight", [3, 4]],
      ["bias", [3, 4]],
    ]);
    expect(Object.keys(new LayerNorm(4, { bias: false }).stateDict())).toEqual(["weight"]);
  });

  test("refuses shapes that do not fit", () => {
    expect(() => new LayerNorm([3, 4]).forward(zeros([2, 4]))).toThrow(ShapeError);
    expect(() => new LayerNorm([])).toThrow("LayerNorm: shape must have at least one size");
    expect(() => new LayerNorm([3, -1])).toThrow(ArgumentError);
    expect(() => new LayerNorm(3, { eps: -1 })).toThrow("LayerNorm: eps must be a finite number");
  });
});

describe("RMSNorm", () => {
  test("divides by the root mean square; by hand: √((1 + 49) / 2) = 5", () => {
    const layer = new RMSNorm(2, { eps: 0 });
    layer.loadStateDict({ weight: tensor([10, 5]) });
    const [a, b] = layer.forward(tensor([1, 7])).dataSync();
    expect(a).toBeCloseTo(2, 6);
    expect(b).toBeCloseTo(7, 6);
  });

  test("the default eps is the machine epsilon, which keeps zeros finite", () => {
    const layer = new RMSNorm([2], { elementwiseAffine: false });
    expect(layer.forward(zeros([2])).arraySync()).toEqual([0, 0]);
    const small = layer.forward(tensor([1e-4, 1e-4])).dataSync()[0];
    expect(small).toBeCloseTo(1e-4 / Math.sqrt(1e-8 + 2 ** -23), 5);
    expect(() => new RMSNorm([2]).forward(zeros([3]))).toThrow(ShapeError);
  });
});

describe("Flatten", () => {
  test("keeps the batch, or flattens the axes given", () => {
    const x = zeros([2, 3, 4, 5]);
    expect(new Flatten().forward(x).shape).toEqual([2, 60]);
    expect(new Flatten(0).forward(x).shape).toEqual([120]);
    expect(new Flatten(1, 2).forward(x).shape).toEqual([2, 12, 5]);
  });
});
