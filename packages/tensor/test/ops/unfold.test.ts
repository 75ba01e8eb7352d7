import { describe, expect, test } from "vitest";
import { arange, tensor, zeros } from "../../src/create.ts";
import { pixelShuffle, unfold } from "../../src/ops/index.ts";

describe("unfold", () => {
  test("gives the windows of images as columns", () => {
    const x = arange(9).to("float32").reshape([1, 1, 3, 3]);
    expect(unfold(x, 2).arraySync()).toEqual([
      [
        [0, 1, 3, 4],
        [1, 2, 4, 5],
        [3, 4, 6, 7],
        [4, 5, 7, 8],
      ],
    ]);
    expect(x.unfold([1, 2], { stride: 2, padding: [0, 1] }).arraySync()).toEqual([
      [
        [0, 1, 0, 7],
        [0, 2, 6, 8],
      ],
    ]);
  });

  test("gives the windows along an axis", () => {
    const x = tensor([1, 2, 3, 4, 5]);
    expect(x.unfold(0, 3, 2).arraySync()).toEqual([
      [1, 2, 3],
      [3, 4, 5],
    ]);
    expect(arange(6).reshape([3, 2]).unfold(0, 2, 1).arraySync()).toEqual([
      [
        [0, 2],
        [1, 3],
      ],
      [
        [2, 4],
        [3, 5],
      ],
    ]);
  });

  test("refuses what does not fit", () => {
    expect(() => unfold(zeros([4]), 2)).toThrow(
      "unfold: the tensor must be [batch, channels, ...] with 2 more axes, got [4].",
    );
    expect(() => unfold(zeros([2, 2]), 0, 3, 1)).toThrow("unfold: the kernel must fit");
    expect(() => unfold(zeros([2, 2]), 0, 1, 0)).toThrow("unfold: step must be");
  });
});

describe("pixelShuffle", () => {
  test("makes pixels of channels", () => {
    const x = arange(8).reshape([4, 1, 2]);
    expect(pixelShuffle(x, 2).arraySync()).toEqual([
      [
        [0, 2, 1, 3],
        [4, 6, 5, 7],
      ],
    ]);
    expect(zeros([2, 3, 18, 2, 4]).pixelShuffle(3).shape).toEqual([2, 3, 2, 6, 12]);
  });

  test("refuses channels that the square does not divide", () => {
    expect(() => pixelShuffle(zeros([6, 2, 2]), 2)).toThrow(
      "pixelShuffle: the square of the factor must divide the channels of [..., channels, height, width], got 2 for [6, 2, 2].",
    );
    expect(() => pixelShuffle(zeros([4, 2, 2]), 0)).toThrow("pixelShuffle: upscaleFactor must be");
  });
});
