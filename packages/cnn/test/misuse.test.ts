import { ArgumentError } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { AdaptiveAvgPool2d, AdaptiveMaxPool2d, Conv2d, MaxPool2d } from "../src/index.ts";

test("sizes that are none are refused where the layer is made", () => {
  const of = (value: unknown) => value as never;
  expect(() => new Conv2d(1, 2, of(undefined))).toThrow(
    "Conv2d: kernelSize must be an integer or 2",
  );
  expect(() => new Conv2d(1, 2, 3, { padding: of("full") })).toThrow("Conv2d: padding must be");
  expect(() => new MaxPool2d(of(undefined))).toThrow("MaxPool2d: kernelSize must be an integer");
  for (const Pool of [AdaptiveAvgPool2d, AdaptiveMaxPool2d]) {
    for (const wrong of [undefined, "a", 0, [1], [1, 2.5]]) {
      expect(() => new Pool(of(wrong))).toThrow(ArgumentError);
      expect(() => new Pool(of(wrong))).toThrow(`${Pool.name}: outputSize must be`);
    }
    expect(new Pool([null, 2]).outputSize).toEqual([null, 2]);
  }
});
