import { ArgumentError, ShapeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { arange, eye, ones, tensor, zeros } from "../../src/create.ts";
import { setBackend, setNumThreads } from "../../src/engine.ts";
import { cat, meshgrid, stack } from "../../src/ops/joining.ts";
import type { Tensor } from "../../src/tensor.ts";

const arrays = (tensors: readonly Tensor[]) => tensors.map((x) => x.arraySync());

test("cat joins along an axis and promotes", () => {
  const a = tensor([[1], [2]]);
  const b = tensor([[3], [4]], { dtype: "int32" });
  expect(cat([a, b], 1).arraySync()).toEqual([
    [1, 3],
    [2, 4],
  ]);
  expect(cat([b, a]).dtype).toBe("float32");
  expect(cat([b, a]).shape).toEqual([4, 1]);
});

test.each([
  ["wasm", 1],
  ["wasm", 2],
  ["js", 1],
] as const)(
  "cat takes rows of a product that it holds in another shape, on %s %d",
  (backend, threads) => {
    setBackend(backend);
    setNumThreads(threads);
    // Two rows of the product are one row of the result, behind others: not a place with one stride for a row.
    const rows = 600;
    const a = arange(0, 4 * rows)
      .reshape([rows, 4])
      .remainder(7);
    const product = a.matmul(eye(4)).reshape([rows / 2, 8]);
    const joined = cat([zeros([rows / 2, 3]), product, ones([rows / 2, 2])], 1);
    expect(joined.slice(1, 3, 11).reshape([rows, 4]).arraySync()).toEqual(a.arraySync());
    expect(joined.slice(1, 0, 3).sum().itemSync()).toBe(0);
    expect(joined.slice(1, 11, 13).sum().itemSync()).toBe(rows);
    setBackend("wasm");
  },
);

test("cat hands each its part of the gradient", () => {
  const a = tensor([1, 2], { requiresGrad: true });
  const b = tensor([3], { requiresGrad: true });
  cat([a, b])
    .mul(tensor([1, 10, 100]))
    .sum()
    .backward();
  expect(a.grad?.arraySync()).toEqual([1, 10]);
  expect(b.grad?.arraySync()).toEqual([100]);
});

test("cat and stack refuse what does not fit", () => {
  expect(() => cat([tensor([[1]]), tensor([[1, 2]])])).toThrow(ShapeError);
  expect(() => cat([tensor([[1]]), tensor([[1, 2]])])).toThrow(
    "cat: sizes must be equal except along axis 0, got [1, 1] and [1, 2].",
  );
  expect(() => cat([tensor(1)])).toThrow(
    "cat: the tensor must have an axis, got a scalar. Use unsqueeze(0).",
  );
  expect(() => cat([])).toThrow(ArgumentError);
  expect(() => stack([])).toThrow("stack: there must be a list of tensors, got an empty array.");
  expect(() => stack([tensor([1]), tensor([1, 2])])).toThrow(
    "stack: shapes must be equal, got [1] and [2].",
  );
});

test("stack makes a new axis", () => {
  const a = tensor([1, 2]);
  expect(stack([a, a.mul(10)]).arraySync()).toEqual([
    [1, 2],
    [10, 20],
  ]);
  expect(stack([a, a.mul(10)], -1).arraySync()).toEqual([
    [1, 10],
    [2, 20],
  ]);
});

test("split, chunk and unbind", () => {
  const x = arange(5);
  expect(arrays(x.split(2))).toEqual([[0, 1], [2, 3], [4]]);
  expect(arrays(x.split([1, 4]))).toEqual([[0], [1, 2, 3, 4]]);
  expect(
    zeros([0, 2])
      .chunk(3)
      .map(({ shape }) => shape),
  ).toEqual(Array(3).fill([0, 2]));
  expect(arrays(x.chunk(3))).toEqual([[0, 1], [2, 3], [4]]);
  expect(arrays(arange(4).reshape([2, 2]).unbind(1))).toEqual([
    [0, 2],
    [1, 3],
  ]);
  expect(() => x.split([1, 3])).toThrow(
    "split: sizes must add up to that of axis 0, got [1, 3] for 5.",
  );
  expect(() => x.split(0)).toThrow("split: the size must be an integer of at least 1, got 0.");
  expect(() => x.chunk(0)).toThrow("chunk: chunks must be an integer of at least 1, got 0.");
  expect(() => tensor(1).unbind()).toThrow("unbind: the tensor must have an axis, got a scalar.");
});

test("roll brings back what leaves at the end", () => {
  expect(arange(4).roll(1).arraySync()).toEqual([3, 0, 1, 2]);
  expect(arange(4).roll(-5).arraySync()).toEqual([1, 2, 3, 0]);
  const x = arange(4).reshape([2, 2]);
  expect(x.roll(1).arraySync()).toEqual([
    [3, 0],
    [1, 2],
  ]);
  expect(x.roll([1, 1], [0, 1]).arraySync()).toEqual([
    [3, 2],
    [1, 0],
  ]);
  expect(() => x.roll([1, 1], 0)).toThrow(
    "roll: there must be an integer for each axis, got [1, 1] for [0].",
  );
});

test("meshgrid", () => {
  const [rows, columns] = meshgrid([arange(2), arange(3)]);
  expect(rows.arraySync()).toEqual([
    [0, 0, 0],
    [1, 1, 1],
  ]);
  expect(columns.arraySync()).toEqual([
    [0, 1, 2],
    [0, 1, 2],
  ]);
  expect(meshgrid([arange(2), arange(3)], { indexing: "xy" })[0].shape).toEqual([3, 2]);
  expect(() => meshgrid([tensor([[1]])])).toThrow("meshgrid: inputs must be vectors, got [1, 1].");
});
