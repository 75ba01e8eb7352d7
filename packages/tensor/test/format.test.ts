import { type DType, StateError, type TypedArray } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { formatTensor } from "../src/format.ts";

/** How a tensor of these values prints. */
function print(
  data: TypedArray,
  shape: readonly number[] = [data.length],
  dtype: DType = "float32",
  requiresGrad = false,
): string {
  return formatTensor({ shape, dtype, requiresGrad, dataSync: () => data });
}

/** Only the values. */
function values(data: readonly number[], shape?: readonly number[], dtype?: DType): string {
  const text = print(new Float64Array(data), shape, dtype);
  return text.slice("tensor(".length, text.indexOf(", shape="));
}

// The expected texts are those of torch 1.13 (but for the width of -0), apart from what follows the values.
describe("formatTensor", () => {
  test("shows values, shape, dtype and requiresGrad", () => {
    expect(print(new Float32Array([1, 2.5]), [2], "float32", true)).toBe(
      "tensor([1.0000, 2.5000], shape=[2], dtype=float32, requiresGrad=true)",
    );
    expect(print(new Int32Array([7]), [], "int32")).toBe("tensor(7, shape=[], dtype=int32)");
  });

  test("breaks lines at rows, and leaves empty lines between matrices", () => {
    expect(values([1, 2, 3, 4], [2, 2])).toBe("[[1., 2.],\n        [3., 4.]]");
    expect(values([1, 2, 3, 4], [2, 2, 1])).toBe(
      "[[[1.],\n         [2.]],\n\n        [[3.],\n         [4.]]]",
    );
  });

  test("aligns signs, whole numbers, NaN and infinities", () => {
    expect(values([-1, 10, 0])).toBe("[-1., 10.,  0.]");
    expect(values([Number.NaN, 1.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])).toBe(
      "[   nan, 1.5000,    inf,   -inf]",
    );
    expect(values([-0, 0])).toBe("[-0.,  0.]");
  });

  test("writes exponents where magnitudes differ widely", () => {
    expect(values([1e-5, 1])).toBe("[1.0000e-05, 1.0000e+00]");
    expect(values([0.5, 1000])).toBe("[5.0000e-01, 1.0000e+03]");
    expect(values([1e9])).toBe("[1.0000e+09]");
    expect(values([1e-120, 0])).toBe("[1.0000e-120,  0.0000e+00]");
  });

  test("bool reads as in JavaScript", () => {
    expect(print(new Uint8Array([1, 0]), [2], "bool")).toContain("[ true, false]");
  });

  test("breaks a long row", () => {
    const row = values(Array.from({ length: 30 }, (_, i) => i));
    expect(row).toBe(
      "[ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n" +
        "        14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27.,\n" +
        "        28., 29.]",
    );
  });

  test("shows the edges beyond 1000 elements", () => {
    const data = Array.from({ length: 5000 }, (_, i) => i);
    expect(values(data, [5000], "int32")).toBe("[   0,    1,    2, ..., 4997, 4998, 4999]");
    expect(values(data, [1000, 5], "int32")).toBe(
      "[[   0,    1,    2,    3,    4],\n" +
        "        [   5,    6,    7,    8,    9],\n" +
        "        [  10,   11,   12,   13,   14],\n" +
        "        ...,\n" +
        "        [4985, 4986, 4987, 4988, 4989],\n" +
        "        [4990, 4991, 4992, 4993, 4994],\n" +
        "        [4995, 4996, 4997, 4998, 4999]]",
    );
    // 1000 are shown in full.
    expect(values(data.slice(0, 1000))).not.toContain("...");
  });

  test("says why there are no values, and never throws", () => {
    const stale = {
      shape: [3],
      dtype: "float32",
      requiresGrad: false,
      dataSync: () => {
        throw new StateError("read: stale.");
      },
    } as const;
    expect(formatTensor(stale)).toBe("tensor(<read: stale.>, shape=[3], dtype=float32)");
  });

  test("empty", () => {
    expect(print(new Float32Array(0), [2, 0])).toBe("tensor([], shape=[2, 0], dtype=float32)");
  });
});
