import { describe, expect, it, vi } from "vitest";
import { backends, withWideTiles } from "./backends.ts";
import { runOn, sameBits } from "./compare.ts";
import { type ConvolutionCase, convolution } from "./convolution.ts";

vi.mock("../src/wide-simd.ts", () => import("./unpaired.ts"));

const small = { batch: 2, channels: 5, outChannels: 6 } as const;
const cases: readonly ConvolutionCase[] = [
  // Pictures as wide as a vector, less, more; with and without guards; strides, dilation, groups.
  { ...small, size: [8, 8], kernel: [3, 3], padding: 1 },
  { ...small, size: [7, 7], kernel: [3, 3], padding: 1 },
  { ...small, size: [14, 9], kernel: [3, 2], padding: 1 },
  { ...small, size: [9, 13], kernel: [3, 3] },
  { ...small, size: [9, 13], kernel: [1, 5], padding: 2 },
  { ...small, size: [12, 13], kernel: [3, 3], padding: 1, stride: 2 },
  { ...small, size: [16, 16], kernel: [4, 4], stride: 4 },
  { ...small, size: [12, 11], kernel: [3, 3], padding: 3, dilation: 3 },
  { ...small, size: [12, 11], kernel: [3, 3], padding: 2, groups: 3 },
  { ...small, channels: 1, outChannels: 1, size: [12, 11], kernel: [3, 3], padding: 1, groups: 4 },
  // Windows far outside.
  { ...small, size: [4, 6], kernel: [2, 2], padding: 200, stride: 9 },
  // Blocks of columns and of terms.
  { batch: 1, channels: 23, outChannels: 4, size: [13, 11], kernel: [5, 5], padding: 2 },
  // Many terms, which are cut.
  { batch: 6, channels: 1, outChannels: 4, size: [42, 41], kernel: [2, 3], padding: 1 },
  { batch: 1, channels: 3, outChannels: 300, size: [5, 5], kernel: [3, 3], padding: 1 },
];

describe("windows of a convolution", { timeout: 60_000 }, () => {
  const { oracle, one, two } = backends();
  const wide = withWideTiles();

  it.each(cases)("$size, $kernel, stride $stride, padding $padding", (shape) => {
    for (const part of ["forward", "weight", "input"] as const) {
      if (part === "input" && (shape.stride ?? 1) > 1) continue;
      const program = convolution(shape, part);
      const got = runOn(one, program);
      expect(got[2], part).toEqual(runOn(oracle, program)[2]);
      for (const other of [two, wide])
        expect(sameBits(got, runOn(other, program)), part).toBe(true);
    }
  });
});
