import { describe, expect, test } from "vitest";
import { arange, tensor, zeros } from "../../src/create.ts";
import { interpolate } from "../../src/ops/index.ts";

describe("interpolate", () => {
  const row = () => tensor([[[[0, 4]]]]);

  test("takes the nearest element", () => {
    const x = arange(4).reshape([1, 1, 2, 2]);
    expect(interpolate(x, { scaleFactor: 2 }).arraySync()).toEqual([
      [
        [
          [0, 0, 1, 1],
          [0, 0, 1, 1],
          [2, 2, 3, 3],
          [2, 2, 3, 3],
        ],
      ],
    ]);
    const line = arange(5).reshape([1, 1, 5]);
    expect(line.interpolate({ size: 3 }).flatten().arraySync()).toEqual([0, 1, 3]);
    expect(interpolate(line, { scaleFactor: 1.5 }).flatten().arraySync()).toEqual([
      0, 0, 1, 2, 2, 3, 4,
    ]);
  });

  test("averages neighbours between centres, or between corners", () => {
    const size = [1, 4];
    const centres = interpolate(row(), { size, mode: "bilinear" });
    expect(centres.flatten().arraySync()).toEqual([0, 1, 3, 4]);
    const corners = interpolate(row(), { size: [1, 5], mode: "bilinear", alignCorners: true });
    expect(corners.flatten().arraySync()).toEqual([0, 1, 2, 3, 4]);
  });

  test("the gradient is what each element contributed", () => {
    const x = row().requiresGrad_();
    interpolate(x, { size: [1, 4], mode: "bilinear" })
      .mul(tensor([1, 10, 100, 1000]))
      .sum()
      .backward();
    expect(x.grad?.flatten().arraySync()).toEqual([1 + 7.5 + 25, 2.5 + 75 + 1000]);
  });

  test("refuses what makes no sense", () => {
    const x = zeros([1, 1, 2, 2]);
    expect(() => interpolate(x, {})).toThrow(
      "interpolate: either size or scaleFactor must be given, got none.",
    );
    expect(() => interpolate(x, { size: 2, scaleFactor: 1 })).toThrow("got both");
    expect(() => interpolate(x, { scaleFactor: 0 })).toThrow(
      "interpolate: scaleFactor must be a positive number or 2 of them, got 0.",
    );
    expect(() => interpolate(x, { scaleFactor: 0.3 })).toThrow("interpolate: the new size must be");
    expect(() => interpolate(x, { size: 2, alignCorners: true })).toThrow(
      'interpolate: alignCorners must go with mode "bilinear"',
    );
    expect(() => interpolate(zeros([1, 1, 4]), { size: 2, mode: "bilinear" })).toThrow(
      "interpolate: the tensor must be [batch, channels, height, width], got [1, 1, 4].",
    );
  });
});
