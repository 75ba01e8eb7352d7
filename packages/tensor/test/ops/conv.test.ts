import { ArgumentError, DTypeError, ShapeError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { arange, ones, tensor, zeros } from "../../src/create.ts";
import { conv1d, conv2d, convTranspose1d, convTranspose2d } from "../../src/ops/index.ts";

describe("conv1d", () => {
  const x = () => tensor([[[1, 2, 3, 4, 5]]]);
  const w = () => tensor([[[1, 10, 100]]]);

  test("slides the window, without flipping it", () => {
    expect(conv1d(x(), w()).arraySync()).toEqual([[[321, 432, 543]]]);
    expect(x().conv1d(w(), { stride: 2 }).arraySync()).toEqual([[[321, 543]]]);
    expect(conv1d(x(), w(), { dilation: 2 }).arraySync()).toEqual([[[531]]]);
    expect(conv1d(x(), w(), { padding: 1, bias: tensor([0.5]) }).arraySync()).toEqual([
      [[210.5, 321.5, 432.5, 543.5, 54.5]],
    ]);
  });

  test('"same" keeps the size; with an even window there is one more zero behind', () => {
    expect(conv1d(x(), w(), { padding: "same" }).arraySync()).toEqual([[[210, 321, 432, 543, 54]]]);
    const even = tensor([[[1, 10]]]);
    expect(conv1d(x(), even, { padding: "same" }).arraySync()).toEqual([[[21, 32, 43, 54, 5]]]);
    expect(conv1d(x(), even, { padding: "valid" }).shape).toEqual([1, 1, 4]);
  });

  test("without a batch", () => {
    expect(conv1d(x().squeeze(0), w()).arraySync()).toEqual([[321, 432, 543]]);
  });
});

describe("conv2d", () => {
  test("sums over channels and taps", () => {
    const x = arange(18).to("float32").reshape([1, 2, 3, 3]);
    const w = tensor([
      [
        [
          [1, 0],
          [0, 1],
        ],
        [
          [0, 2],
          [0, 0],
        ],
      ],
    ]);
    // x₀₀ + x₁₁ of the first channel, and twice the top right of the second.
    expect(conv2d(x, w).arraySync()).toEqual([
      [
        [
          [0 + 4 + 20, 1 + 5 + 22],
          [3 + 7 + 26, 4 + 8 + 28],
        ],
      ],
    ]);
  });

  test("groups see their own channels", () => {
    const x = tensor([[[[1]], [[2]], [[3]], [[4]]]]);
    const two = tensor([
      [[[1]], [[10]]],
      [[[1]], [[100]]],
    ]);
    expect(conv2d(x, two, { groups: 2 }).flatten().arraySync()).toEqual([21, 403]);
    const four = tensor([[[[1]]], [[[10]]], [[[100]]], [[[1000]]]]);
    expect(conv2d(x, four, { groups: 4 }).flatten().arraySync()).toEqual([1, 20, 300, 4000]);
  });

  test("has no elements where the batch has none", () => {
    expect(conv2d(zeros([0, 2, 4, 4]), zeros([3, 2, 3, 3])).shape).toEqual([0, 3, 2, 2]);
  });

  test.each([
    [
      [1, 3, 4, 4],
      [2, 2, 3, 3],
      {},
      "conv2d: the input must have 2 channels, as the weight in 1 groups, got [1, 3, 4, 4] and [2, 2, 3, 3].",
    ],
    [[1, 2, 4], [2, 2, 3], {}, "conv2d: the weight must have 4 axes, got [2, 2, 3]."],
    [
      [1, 4, 4, 4],
      [3, 2, 3, 3],
      { groups: 2 },
      "conv2d: groups must divide the channels, got 2 for weight [3, 2, 3, 3].",
    ],
    [
      [1, 2, 2, 4],
      [2, 2, 3, 3],
      {},
      "conv2d: the kernel must fit into the padded input, got kernel [3, 3] with dilation 1 for input [2, 4] with padding 0.",
    ],
    [[1, 2, 4, 4], [2, 2, 3, 3], { bias: zeros([3]) }, "conv2d: the bias must be [2], got [3]."],
  ])("refuses %j with %j", (shape, weight, options, message) => {
    const call = () => conv2d(zeros(shape), zeros(weight), options);
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(message);
  });

  test("refuses options out of range, and integers", () => {
    const [x, w] = [ones([1, 1, 4, 4]), ones([1, 1, 2, 2])];
    expect(() => conv2d(x, w, { stride: 0 })).toThrow(ArgumentError);
    expect(() => conv2d(x, w, { stride: 0 })).toThrow(
      "conv2d: stride must be an integer or 2 of them, at least 1, got 0.",
    );
    expect(() => conv2d(x, w, { dilation: [1, 2, 3] })).toThrow("got [1, 2, 3].");
    expect(() => conv2d(x, w, { padding: -1 })).toThrow("conv2d: padding must be");
    expect(() => conv2d(x, w, { padding: "same", stride: 2 })).toThrow(
      'conv2d: stride must be 1 for padding "same", got 2.',
    );
    expect(() => conv2d(x.to("int32"), w)).toThrow(DTypeError);
  });
});

describe("convTranspose", () => {
  test("adds the weight at each place", () => {
    const x = tensor([[[1, 2]]]);
    const w = tensor([[[1, 10, 100]]]);
    expect(convTranspose1d(x, w).arraySync()).toEqual([[[1, 12, 120, 200]]]);
    expect(x.convTranspose1d(w, { stride: 2 }).arraySync()).toEqual([[[1, 10, 102, 20, 200]]]);
    expect(convTranspose1d(x, w, { stride: 2, padding: 1 }).arraySync()).toEqual([[[10, 102, 20]]]);
    expect(convTranspose1d(x, w, { stride: 2, padding: 1, outputPadding: 1 }).shape).toEqual([
      1, 1, 4,
    ]);
    expect(convTranspose1d(x, w, { stride: 2, dilation: 2 }).arraySync()).toEqual([
      [[1, 0, 12, 0, 120, 0, 200]],
    ]);
  });

  test("doubles an image with a window of 2 and stride 2", () => {
    const y = convTranspose2d(
      tensor([[[[1, 2]]]]),
      tensor([
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
      ]),
      { stride: 2 },
    );
    expect(y.arraySync()).toEqual([
      [
        [
          [1, 2, 2, 4],
          [3, 4, 6, 8],
        ],
      ],
    ]);
  });

  test("refuses what does not fit", () => {
    const [x, w] = [zeros([1, 2, 3, 3]), zeros([2, 2, 3, 3])];
    expect(() => convTranspose2d(x, w, { outputPadding: 1 })).toThrow(
      "convTranspose2d: outputPadding must be less than stride or dilation, got 1 for 1 and 1.",
    );
    expect(() => convTranspose2d(zeros([1, 3, 3, 3]), w)).toThrow(
      "convTranspose2d: the input must have 2 channels, as the weight",
    );
    expect(() => convTranspose2d(x, w, { padding: 3 })).toThrow("the result must not be empty");
  });
});
