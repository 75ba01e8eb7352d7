import { ArgumentError, DTypeError, ShapeError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { ones, tensor, zeros } from "../../src/create.ts";
import type { Tensor } from "../../src/tensor.ts";

function expectClose(x: Tensor, expected: readonly number[]): void {
  const data = x.dataSync();
  expect(data.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(data[i]).toBeCloseTo(value, 5);
  });
}

describe("layerNorm", () => {
  test("centres and scales each row, then applies the parameters", () => {
    const x = tensor([
      [1, 3],
      [10, 30],
    ]);
    expectClose(x.layerNorm([2], { eps: 0 }), [-1, 1, -1, 1]);
    const weight = tensor([2, 3]);
    const bias = tensor([1, 0]);
    expectClose(x.layerNorm([2], { weight, bias, eps: 0 }), [-1, 3, -1, 3]);
    expectClose(tensor([0, 2]).layerNorm([2], { eps: 3 }), [-0.5, 0.5]);
  });

  test("refuses other shapes", () => {
    expect(() => zeros([2, 3]).layerNorm([2])).toThrow(ShapeError);
    expect(() => zeros([2, 3]).layerNorm([2])).toThrow(
      "layerNorm: the tensor must end with the normalized shape [2], got [2, 3].",
    );
    expect(() => zeros([2, 3]).layerNorm([3], { weight: ones([2]) })).toThrow(
      "layerNorm: weights and statistics must have shape [3], got [2].",
    );
    expect(() => zeros([2], { dtype: "int32" }).layerNorm([2])).toThrow(DTypeError);
  });
});

test("rmsNorm divides by the root of the mean square", () => {
  expectClose(tensor([3, 4]).rmsNorm([2], { weight: tensor([1, 2]), eps: 0 }), [
    3 / Math.sqrt(12.5),
    8 / Math.sqrt(12.5),
  ]);
  expectClose(tensor([0, 0]).rmsNorm([2]), [0, 0]);
});

describe("batchNorm", () => {
  const x = () =>
    tensor([
      [1, 10],
      [3, 30],
    ]);

  test("in training normalises by the batch and moves the running statistics", () => {
    const mean = zeros([2]);
    const variance = ones([2]);
    expectClose(x().batchNorm(mean, variance, { training: true, eps: 0 }), [-1, -1, 1, 1]);
    expectClose(mean, [0.2, 2]);
    expectClose(variance, [0.9 + 0.2, 0.9 + 20]); // unbiased: 2 and 200
  });

  test("otherwise uses the running statistics", () => {
    const y = x().batchNorm(tensor([1, 10]), tensor([4, 100]), {
      weight: tensor([1, 2]),
      bias: tensor([0, 1]),
      eps: 0,
    });
    expectClose(y, [0, 1, 1, 5]);
  });

  test("normalises images by channel", () => {
    const images = tensor([1, 2, 3, 4, 10, 20, 30, 40]).reshape([1, 2, 2, 2]);
    const y = images.batchNorm(undefined, undefined, { training: true, eps: 0 });
    expectClose(y.mean([0, 2, 3]), [0, 0]);
    expectClose(y.var([0, 2, 3], { correction: 0 }), [1, 1]);
  });

  test("says what is missing", () => {
    expect(() => x().batchNorm(undefined, undefined)).toThrow(ArgumentError);
    expect(() => x().batchNorm(undefined, undefined)).toThrow(
      "batchNorm: running statistics must be given, got none.",
    );
    expect(() => tensor([1]).batchNorm(undefined, undefined)).toThrow(
      "batchNorm: the tensor must be [batch, channels, ...], got [1].",
    );
    expect(() => tensor([[1, 2]]).batchNorm(undefined, undefined, { training: true })).toThrow(
      "batchNorm: there must be more than one value a channel in training, got [1, 2].",
    );
    expect(() => x().batchNorm(zeros([3]), ones([2]))).toThrow(
      "batchNorm: weights and statistics must have shape [2], got [3].",
    );
  });
});

test("groupNorm normalises groups of channels of each example", () => {
  const x = tensor([[1, 3, 10, 30]]);
  expectClose(x.groupNorm(2, { eps: 0 }), [-1, 1, -1, 1]);
  const weight = tensor([1, 1, 2, 2]);
  expectClose(x.groupNorm(2, { weight, bias: ones([4]), eps: 0 }), [0, 2, -1, 3]);
  expect(() => x.groupNorm(3)).toThrow(
    "groupNorm: the groups must divide the channels of [batch, channels, ...], got 3 for [1, 4].",
  );
});
