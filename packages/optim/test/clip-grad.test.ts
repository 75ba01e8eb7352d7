import { StateError, type Tensor, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { clipGradNorm, clipGradValue } from "../src/index.ts";

/** Parameters with the gradients 3 and [0, −4]: the norm is 5, the largest is 4, the sum 7. */
function parameters(): Tensor[] {
  const [a, b, unused] = [[1], [1, 1], [1]].map((v) => tensor(v, { requiresGrad: true }));
  a.mul(3)
    .sum()
    .add(b.mul(tensor([0, -4])).sum())
    .backward();
  return [a, b, unused];
}

const gradients = (params: readonly Tensor[]) =>
  params.flatMap(({ grad }) => (grad === null ? [] : [...grad.dataSync()]));

describe("clipGradNorm", () => {
  test.each([
    [2, 5],
    [1, 7],
    [Number.POSITIVE_INFINITY, 4],
  ])("norm of type %d is %d, and becomes 1", (normType, norm) => {
    const params = parameters();
    const before = clipGradNorm(params, 1, { normType });
    expect(before.shape).toEqual([]);
    expect(before.itemSync()).toBeCloseTo(norm, 5);
    [3, 0, -4].forEach((gradient, i) => {
      expect(gradients(params)[i]).toBeCloseTo(gradient / norm, 5);
    });
  });

  test("shorter gradients stay as they are", () => {
    const params = parameters();
    clipGradNorm(params, 10);
    expect(gradients(params)).toEqual([3, 0, -4]);
  });

  test("a limit of infinity measures; an empty gradient has the largest element 0", () => {
    const params = [...parameters(), tensor([], { requiresGrad: true })];
    params[3].sum().backward();
    expect(clipGradNorm(params, Number.POSITIVE_INFINITY).itemSync()).toBe(5);
    const options = { normType: Number.POSITIVE_INFINITY };
    expect(clipGradNorm(params, 10, options).itemSync()).toBe(4);
    expect(gradients(params)).toEqual([3, 0, -4]);
  });

  test("a norm that is not finite is an error if asked for", () => {
    const params = parameters();
    expect(clipGradNorm(params, 10, { errorIfNonfinite: true }).itemSync()).toBe(5);
    params[0].grad = tensor([Number.NaN]);
    expect(() => clipGradNorm(params, 1, { errorIfNonfinite: true })).toThrow(
      new StateError(
        "clipGradNorm: the norm of the gradients must be finite, got NaN. Without errorIfNonfinite they are scaled by it anyway.",
      ),
    );
    expect(gradients(params)).toEqual([Number.NaN, 0, -4]);
    expect(clipGradNorm(params, 1).itemSync()).toBeNaN();
    expect(gradients(params)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test("without gradients the norm is 0; options are checked", () => {
    expect(clipGradNorm([tensor([1], { requiresGrad: true })], 1).itemSync()).toBe(0);
    expect(() => clipGradNorm(parameters(), -1)).toThrow("clipGradNorm: maxNorm must be");
    expect(() => Reflect.apply(clipGradNorm, undefined, [{}, 1])).toThrow(
      "clipGradNorm: parameters must be a list of tensors, got an Object. Pass model.parameters().",
    );
    expect(() => clipGradNorm(parameters(), 1, { normType: 0 })).toThrow(
      "normType must be above 0",
    );
    expect(() => Reflect.apply(clipGradNorm, undefined, [[], 1, { norm: 1 }])).toThrow(
      "clipGradNorm: options must be among normType, errorIfNonfinite, got norm.",
    );
  });
});

describe("clipGradValue", () => {
  test("cuts each element", () => {
    const params = parameters();
    clipGradValue(params, 3.5);
    expect(gradients(params)).toEqual([3, 0, -3.5]);
    expect(params[2].grad).toBeNull();
    clipGradValue(params, Number.POSITIVE_INFINITY);
    expect(gradients(params)).toEqual([3, 0, -3.5]);
    expect(() => clipGradValue(params, Number.NaN)).toThrow("clipGradValue: clipValue must be");
  });
});
