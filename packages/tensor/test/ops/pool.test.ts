import { describe, expect, test } from "vitest";
import { arange, tensor, zeros } from "../../src/create.ts";
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  maxPool1d,
  maxPool2d,
} from "../../src/ops/index.ts";

const image = () => arange(16).to("float32").reshape([1, 1, 4, 4]);

describe("maxPool", () => {
  test("takes the largest of each window", () => {
    expect(maxPool2d(image(), 2).flatten().arraySync()).toEqual([5, 7, 13, 15]);
    expect(image().maxPool2d(2, { stride: 1 }).flatten().arraySync()).toEqual([
      5, 6, 7, 9, 10, 11, 13, 14, 15,
    ]);
    expect(maxPool1d(tensor([[[1, 5, 2, 4, 9]]]), 2).arraySync()).toEqual([[[5, 4]]]);
    const cut = maxPool1d(tensor([[[1, 5, 2, 4, 9]]]), 2, { ceilMode: true });
    expect(cut.arraySync()).toEqual([[[5, 4, 9]]]);
  });

  test("padding is smaller than any number", () => {
    const negative = image().sub(100);
    expect(maxPool2d(negative, 2, { padding: 1 }).flatten().arraySync()).toEqual([
      -100, -98, -97, -92, -90, -89, -88, -86, -85,
    ]);
    const lowest = tensor([[[Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]]]);
    expect(maxPool1d(lowest, 2, { padding: 1 }).flatten().arraySync()).toEqual([
      Number.NEGATIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]);
  });

  test("NaN is the largest", () => {
    const y = maxPool1d(tensor([[[1, Number.NaN, 3, 4]]]), 2);
    expect(y.flatten().arraySync()).toEqual([Number.NaN, 4]);
  });

  test("says where they were", () => {
    const { values, indices } = maxPool2d(image(), 2, { returnIndices: true });
    expect(values.flatten().arraySync()).toEqual([5, 7, 13, 15]);
    expect(indices.flatten().arraySync()).toEqual([5, 7, 13, 15]);
    const x = tensor([[[7, 7, 1, 9, 2]]]);
    const found = x.maxPool1d(3, { stride: 2, padding: 1, returnIndices: true });
    expect(found.values.flatten().arraySync()).toEqual([7, 9, 9]);
    expect(found.indices.flatten().arraySync()).toEqual([0, 3, 3]);
    expect(found.indices.dtype).toBe("int32");
  });

  test("the gradient flows to the first of equal ones, from each window", () => {
    const x = tensor([[[2, 2, 1, 2, 2]]]).requiresGrad_();
    maxPool1d(x, 3, { stride: 1 })
      .mul(tensor([1, 10, 100]))
      .sum()
      .backward();
    expect(x.grad?.flatten().arraySync()).toEqual([1, 10, 0, 100, 0]);
  });

  test("refuses what does not fit", () => {
    expect(() => maxPool2d(zeros([1, 1, 2, 2]), 3)).toThrow(
      "maxPool2d: the kernel must fit into the padded input, got kernel [3, 3] with dilation 1 for input [2, 2] with padding 0.",
    );
    expect(() => maxPool2d(zeros([1, 1, 4, 4]), 2, { padding: [1, 2] })).toThrow(
      "maxPool2d: padding must be at most half of the kernel, got 2 for 2. Use pad().",
    );
    expect(() => maxPool2d(zeros([4, 4]), 2)).toThrow(
      "maxPool2d: the tensor must be [batch, channels, ...] with 2 more axes, got [4, 4].",
    );
    expect(() => maxPool2d(zeros([1, 1, 4, 4], { dtype: "int32" }), 2)).toThrow(
      "must be floating, got int32",
    );
    expect(() => maxPool2d(zeros([1, 1, 4, 4]), 0)).toThrow("maxPool2d: kernelSize must be");
  });
});

describe("avgPool2d", () => {
  test("averages each window", () => {
    expect(avgPool2d(image(), 2).flatten().arraySync()).toEqual([2.5, 4.5, 10.5, 12.5]);
  });

  test("counts padding, or not; never what is beyond it", () => {
    const x = tensor([[[6, 12, 18]]]);
    const options = { stride: [1, 2], padding: [0, 1], ceilMode: true };
    expect(avgPool2d(x, [1, 3], options).flatten().arraySync()).toEqual([6, 10]);
    const y = avgPool2d(x, [1, 3], { ...options, countIncludePad: false });
    expect(y.flatten().arraySync()).toEqual([9, 15]);
    const wide = avgPool2d(tensor([[[6, 12, 18, 24]]]), [1, 3], { stride: [1, 3], ceilMode: true });
    expect(wide.flatten().arraySync()).toEqual([12, 24]);
    expect(avgPool2d(x, [1, 3], { divisorOverride: 2 }).flatten().arraySync()).toEqual([18]);
  });

  test("refuses a divisor of 0", () => {
    expect(() => avgPool2d(image(), 2, { divisorOverride: 0 })).toThrow(
      "avgPool2d: divisorOverride must not be 0, got 0.",
    );
  });
});

describe("adaptive pools", () => {
  test("cover the image with windows that may overlap", () => {
    const x = tensor([[[1, 2, 3, 4, 5]]]); // from 0, 1, 3 to 2, 4, 5
    expect(adaptiveAvgPool2d(x, [1, 3]).flatten().arraySync()).toEqual([1.5, 3, 4.5]);
    expect(adaptiveMaxPool2d(x, [null, 3]).flatten().arraySync()).toEqual([2, 4, 5]);
    expect(adaptiveAvgPool2d(x, [2, 1]).flatten().arraySync()).toEqual([3, 3]);
    expect(image().adaptiveMaxPool2d(2).flatten().arraySync()).toEqual([5, 7, 13, 15]);
    expect(image().adaptiveAvgPool2d(1).itemSync()).toBe(7.5);
  });

  test("the gradient of the maximum flows to the first of equal ones", () => {
    const x = zeros([1, 1, 3, 3]).requiresGrad_();
    adaptiveMaxPool2d(x, 2).sum().backward();
    expect(x.grad?.flatten().arraySync()).toEqual([1, 1, 0, 1, 1, 0, 0, 0, 0]);
  });

  test("refuse sizes that are none", () => {
    expect(() => adaptiveAvgPool2d(image(), [0, 1])).toThrow(
      "adaptiveAvgPool2d: outputSize must be an integer or 2 of them, at least 1, got [0, 1].",
    );
  });
});
