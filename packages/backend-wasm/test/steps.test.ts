import type { MatmulKernel } from "@gradloom/engine";
import { expect, it } from "vitest";
import { KernelLibrary } from "../src/library.ts";
import { stepsOf } from "../src/steps.ts";

/** Few rows, many terms: outside of loops, its terms are cut. */
const product: MatmulKernel = {
  kind: "matmul",
  dtype: "float32",
  batch: [],
  m: 32,
  n: 1024,
  k: 256,
  a: { buffer: 0, offset: 0, batchStrides: [], rowStride: 256, columnStride: 1 },
  b: { buffer: 1, offset: 0, batchStrides: [], rowStride: 1, columnStride: 256 },
  epilogue: {
    inner: [],
    code: [{ op: "product", dtype: "float32" }],
    stores: [{ value: 0, access: { buffer: 2, offset: 0, strides: [1024, 1] } }],
    results: [],
  },
  buffers: [0, 1, 2],
  scalars: [],
  label: [],
};

function countSteps(isStill: boolean): { readonly once: number; readonly each: number } {
  const steps = stepsOf(product, {
    features: { relaxedSimd: false, wideSimd: false, sharedMemory: false },
    library: new KernelLibrary(0, 16, () => {}),
    threads: 2,
    isStill,
    keep: () => 0,
  });
  const once = steps.filter((step) => step.once).length;
  return { once, each: steps.length - once };
}

it("takes one step in each repetition for a product with a matrix that stays the same", () => {
  expect(countSteps(true)).toEqual({ once: 1, each: 1 });
  expect(countSteps(false).each).toBeGreaterThan(1);
});
