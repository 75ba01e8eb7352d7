import { DTypeError, IndexError, ShapeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { ones, tensor } from "../../src/create.ts";
import { grad, randn, vmap } from "../../src/index.ts";
import { groupedMatmul } from "../../src/ops/grouped-matmul.ts";
import type { Tensor } from "../../src/tensor.ts";

const counts = (...sizes: number[]) => tensor(sizes, { dtype: "int32" });
const matrices = () => tensor([[[1, 2]], [[10, 20]], [[100, 200]]]); // [3, 1, 2]
const rows = () => tensor([[1], [2], [3], [4]]);

test("each group of rows meets its own matrix, rows behind the last give 0", () => {
  expect(groupedMatmul(rows(), matrices(), counts(2, 0, 1)).arraySync()).toEqual([
    [1, 2],
    [2, 4],
    [300, 600],
    [0, 0],
  ]);
  const doubles = groupedMatmul(rows().to("float64"), matrices(), counts(1, 3, 0));
  expect(doubles.dtype).toBe("float64");
  expect(doubles.arraySync()).toEqual([
    [1, 2],
    [20, 40],
    [30, 60],
    [40, 80],
  ]);
});

test("gradients: a matrix without rows gets 0, and so does a row without a group", () => {
  const loss = (x: Tensor, w: Tensor) => groupedMatmul(x, w, counts(2, 0, 1)).sum();
  const [dx, dw] = grad(loss, { argnums: [0, 1] })(rows(), matrices());
  expect(dx.arraySync()).toEqual([[3], [3], [300], [0]]);
  expect(dw.arraySync()).toEqual([[[3, 3]], [[0, 0]], [[3, 3]]]);
});

test("sizes may be computed, and differ between examples", () => {
  const x = randn([2, 4, 3]);
  const w = randn([2, 3, 5]);
  const sizes = tensor([
    [1, 3],
    [4, 0],
  ]).to("int32");
  const all = vmap((a: Tensor, n: Tensor) => groupedMatmul(a, w, n))(x, sizes);
  for (const i of [0, 1]) {
    const one = groupedMatmul(x.select(0, i), w, sizes.select(0, i));
    expect(all.select(0, i).arraySync()).toEqual(one.arraySync());
  }
});

test("what does not fit is refused", () => {
  const call = (x: Tensor, w: Tensor, sizes: Tensor) => () => groupedMatmul(x, w, sizes).dataSync();
  expect(call(ones([4, 2]), matrices(), counts(1, 1, 1))).toThrow(ShapeError);
  expect(call(ones([4, 2]), matrices(), counts(1, 1, 1))).toThrow(
    "groupedMatmul: x, w and sizes must be [rows, k], [groups, k, n] and [groups], got [4, 2], [3, 1, 2] and [3].",
  );
  expect(call(rows(), matrices(), counts(1, 1))).toThrow(ShapeError);
  expect(call(rows(), matrices(), ones([3]))).toThrow(DTypeError);
  expect(call(rows().to("bool"), matrices().to("bool"), counts(1, 1, 1))).toThrow(DTypeError);
  expect(call(rows(), matrices(), counts(1, -1, 1))).toThrow(IndexError);
  // Too many together, which shows when it is computed.
  expect(call(rows(), matrices(), counts(2, 2, 1))).toThrow(IndexError);
});
