import { ArgumentError, DTypeError, IndexError, ShapeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { tensor, zeros } from "../../src/create.ts";
import { grad } from "../../src/index.ts";
import { embedding } from "../../src/ops/embedding.ts";

const ids = (data: number | number[] | number[][]) => tensor(data, { dtype: "int32" });
const table = () =>
  tensor(
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    { requiresGrad: true },
  );

test("embedding looks up rows", () => {
  expect(
    embedding(
      ids([
        [2, 0],
        [0, 1],
      ]),
      table(),
    ).arraySync(),
  ).toEqual([
    [
      [5, 6],
      [1, 2],
    ],
    [
      [1, 2],
      [3, 4],
    ],
  ]);
  expect(ids(1).embedding(table()).arraySync()).toEqual([3, 4]);
  expect(embedding(ids([]), table()).shape).toEqual([0, 2]);
  expect(embedding(tensor([1], { dtype: "uint8" }), table()).arraySync()).toEqual([[3, 4]]);
});

test("each row gets the sum over the places that name it, padding none", () => {
  const upstream = tensor([
    [1, 2],
    [10, 20],
    [100, 200],
    [1000, 2000],
  ]);
  const weight = table();
  embedding(ids([2, 0, 2, 1]), weight)
    .mul(upstream)
    .sum()
    .backward();
  expect(weight.grad?.arraySync()).toEqual([
    [10, 20],
    [1000, 2000],
    [101, 202],
  ]);
  for (const paddingIdx of [2, -1]) {
    const padded = table();
    const y = embedding(ids([2, 0, 2, 1]), padded, { paddingIdx });
    expect(y.arraySync()).toEqual([
      [5, 6],
      [1, 2],
      [5, 6],
      [3, 4],
    ]);
    y.mul(upstream).sum().backward();
    expect(padded.grad?.arraySync()).toEqual([
      [10, 20],
      [1000, 2000],
      [0, 0],
    ]);
  }
});

test("second gradients: padding has none either", () => {
  const weight = table();
  const y = embedding(ids([0, 2, 0]), weight, { paddingIdx: 2 })
    .pow(3)
    .sum();
  const [first] = grad(y, weight, { createGraph: true });
  const [second] = grad(first.sum(), weight);
  expect(first.arraySync()).toEqual([
    [6, 24],
    [0, 0],
    [0, 0],
  ]);
  expect(second.arraySync()).toEqual([
    [12, 24],
    [0, 0],
    [0, 0],
  ]);
});

test("what does not fit", () => {
  expect(() => embedding(ids([3]), table())).toThrow(IndexError);
  expect(() => embedding(ids([3]), table())).toThrow(
    "embedding: an index must be in 0 … 2, got 3.",
  );
  expect(() => embedding(ids([-1]), table())).toThrow("got -1.");
  expect(() => embedding(ids([2]).add(2), table()).dataSync()).toThrow("0 … 2, got 4.");
  expect(() => embedding(tensor([1]), table())).toThrow(DTypeError);
  expect(() => embedding(ids([0]), zeros([3]))).toThrow(ShapeError);
  expect(() => embedding(ids([0]), zeros([3]))).toThrow(
    "embedding: the weight must be a matrix, got [3].",
  );
  expect(() => embedding(ids([0]), table(), { paddingIdx: 3 })).toThrow(ArgumentError);
  expect(() => embedding(ids([0]), table(), { paddingIdx: 3 })).toThrow(
    "embedding: paddingIdx must be in [-3, 2], got 3.",
  );
});
