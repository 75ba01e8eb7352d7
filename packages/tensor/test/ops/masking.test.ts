import { ArgumentError, DTypeError, IndexError, ShapeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { arange, tensor } from "../../src/create.ts";
import { where } from "../../src/ops/masking.ts";

test("where chooses, broadcasts and promotes", () => {
  const c = tensor([true, false]);
  expect(where(c, 1, tensor([[5], [6]])).arraySync()).toEqual([
    [1, 5],
    [1, 6],
  ]);
  expect(where(c, 1, 0.5).dtype).toBe("float32");
  expect(where(c, tensor([1, 1], { dtype: "int32" }), 2).dtype).toBe("int32");
  expect(where(c, true, false).dtype).toBe("bool");
});

test("the gradient of where goes where the value came from, also past NaN", () => {
  const a = tensor([1, 2], { requiresGrad: true });
  const b = tensor([3, 4], { requiresGrad: true });
  where(tensor([true, false]), a, b)
    .sum()
    .backward();
  expect(a.grad?.arraySync()).toEqual([1, 0]);
  expect(b.grad?.arraySync()).toEqual([0, 1]);
});

test("where wants a bool", () => {
  expect(() => where(tensor([1]), 1, 2)).toThrow(DTypeError);
  expect(() => where(tensor([1]), 1, 2)).toThrow(
    "where: the condition must be bool, got float32. Compare first, for example with ne(0).",
  );
  expect(() => where(tensor([true, false]), tensor([1, 2, 3]), 0)).toThrow(ShapeError);
});

test("maskedFill keeps the dtype", () => {
  const x = tensor([1, 2], { dtype: "int32" });
  const filled = x.maskedFill(tensor([true, false]), -1);
  expect(filled.arraySync()).toEqual([-1, 2]);
  expect(filled.dtype).toBe("int32");
  const scores = tensor([1, 2]).maskedFill(tensor([false, true]), Number.NEGATIVE_INFINITY);
  expect(scores.arraySync()).toEqual([1, Number.NEGATIVE_INFINITY]);
});

test("triangles", () => {
  const x = arange(1, 10).reshape([3, 3]);
  expect(x.tril().arraySync()).toEqual([
    [1, 0, 0],
    [4, 5, 0],
    [7, 8, 9],
  ]);
  expect(x.triu(1).arraySync()).toEqual([
    [0, 2, 3],
    [0, 0, 6],
    [0, 0, 0],
  ]);
  expect(x.tril(-1).arraySync()).toEqual([
    [0, 0, 0],
    [4, 0, 0],
    [7, 8, 0],
  ]);
  expect(() => tensor([1]).tril()).toThrow(
    "tril: the tensor must have two axes at least, got [1].",
  );
});

test("diagonals", () => {
  const x = arange(12).reshape([3, 4]);
  expect(x.diagonal().arraySync()).toEqual([0, 5, 10]);
  expect(x.diagonal(1).arraySync()).toEqual([1, 6, 11]);
  expect(x.diagonal(3).arraySync()).toEqual([3]);
  expect(x.diagonal(-1).arraySync()).toEqual([4, 9]);
  expect(x.diagonal(7).arraySync()).toEqual([]);
  expect(arange(8).reshape([2, 2, 2]).diagonal(0, 1, 2).arraySync()).toEqual([
    [0, 3],
    [4, 7],
  ]);
  expect(() => x.diagonal(0, 1, 1)).toThrow(
    "diagonal: there must be two different axes, got 1 and 1 for [3, 4].",
  );
});

test("oneHot", () => {
  const x = tensor([2, 0], { dtype: "int32" });
  expect(x.oneHot(3).arraySync()).toEqual([
    [0, 0, 1],
    [1, 0, 0],
  ]);
  expect(x.oneHot(3).dtype).toBe("int32");
  expect(() => x.oneHot(2)).toThrow(IndexError);
  expect(() => x.oneHot(2)).toThrow("oneHot: an index must be in 0 … 1, got 2.");
  expect(() => x.sub(1).oneHot(3).dataSync()).toThrow("oneHot: an index must be in 0 … 2, got -1.");
  expect(() => tensor([1]).oneHot(3)).toThrow(DTypeError);
  expect(() => x.oneHot(0)).toThrow(ArgumentError);
  expect(() => x.oneHot(0)).toThrow("oneHot: numClasses must be an integer of at least 1, got 0.");
});
