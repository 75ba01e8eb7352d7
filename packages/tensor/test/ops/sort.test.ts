import { ArgumentError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { tensor } from "../../src/create.ts";
import { argsort, sort, topk } from "../../src/ops/sort.ts";

const edges = () => tensor([1, Number.NaN, -1, Number.POSITIVE_INFINITY, 0]);

test("sort gives values and where they were", () => {
  const { values, indices } = sort(
    tensor([
      [3, 1, 2],
      [4, 6, 5],
    ]),
  );
  expect(values.arraySync()).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(indices.arraySync()).toEqual([
    [1, 2, 0],
    [0, 2, 1],
  ]);
  expect(indices.dtype).toBe("int32");
  const down = tensor([
    [3, 1],
    [4, 6],
  ]).sort(0, { descending: true });
  expect(down.values.arraySync()).toEqual([
    [4, 6],
    [3, 1],
  ]);
  expect(tensor(5).sort().values.itemSync()).toBe(5);
  expect(tensor(5).argsort().arraySync()).toBe(0);
});

test("equal elements keep their order, either way; NaN is the greatest", () => {
  const ties = tensor([2, 1, 2, 1]);
  expect(argsort(ties).arraySync()).toEqual([1, 3, 0, 2]);
  expect(argsort(ties, 0, { descending: true }).arraySync()).toEqual([0, 2, 1, 3]);
  expect(argsort(edges()).arraySync()).toEqual([2, 4, 0, 3, 1]);
  expect(argsort(edges(), -1, { descending: true }).arraySync()).toEqual([1, 3, 0, 4, 2]);
  expect(topk(edges(), 2).indices.arraySync()).toEqual([1, 3]);
  expect(topk(edges(), 2, 0, { largest: false }).indices.arraySync()).toEqual([2, 4]);
});

test("the gradient goes back to where elements were", () => {
  const x = tensor([3, 1, 2], { requiresGrad: true });
  x.sort()
    .values.mul(tensor([1, 10, 100]))
    .sum()
    .backward();
  expect(x.grad?.arraySync()).toEqual([100, 1, 10]);
  const y = tensor([3, 1, 2], { requiresGrad: true });
  y.topk(2)
    .values.mul(tensor([1, 10]))
    .sum()
    .backward();
  expect(y.grad?.arraySync()).toEqual([1, 0, 10]);
  expect(y.topk(2).indices.requiresGrad).toBe(false);
});

test("topk: none, all, and too many", () => {
  const x = tensor([[3, 1, 2]]);
  expect(x.topk(0).values.shape).toEqual([1, 0]);
  expect(x.topk(3).values.arraySync()).toEqual([[3, 2, 1]]);
  expect(x.topk(1, 0).values.arraySync()).toEqual([[3, 1, 2]]);
  expect(() => x.topk(4)).toThrow(ArgumentError);
  expect(() => x.topk(4)).toThrow("topk: k must be an integer in [0, 3], got 4.");
  expect(() => x.topk(1.5)).toThrow("got 1.5.");
  expect(() => x.sort(2)).toThrow("sort: the axis must be in [-2, 1], got 2.");
});
