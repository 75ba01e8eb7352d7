import { DTypeError, ShapeError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { arange, tensor, zeros } from "../../src/create.ts";

const a = () => arange(6).to("float32").reshape([2, 3]);
const b = () => arange(6).to("float32").reshape([3, 2]);

describe("matmul", () => {
  test("of matrices and vectors", () => {
    expect(a().matmul(b()).arraySync()).toEqual([
      [10, 13],
      [28, 40],
    ]);
    const v = tensor([1, 0, 2]);
    expect(a().matmul(v).arraySync()).toEqual([4, 13]);
    expect(v.matmul(b()).arraySync()).toEqual([8, 11]);
    expect(v.matmul(v).itemSync()).toBe(5);
  });

  test("batches broadcast", () => {
    const left = arange(12).to("float32").reshape([2, 2, 3]);
    expect(left.matmul(b()).arraySync()).toEqual([
      [
        [10, 13],
        [28, 40],
      ],
      [
        [46, 67],
        [64, 94],
      ],
    ]);
    expect(a().matmul(zeros([4, 3, 5])).shape).toEqual([4, 2, 5]);
    expect(zeros([4, 1, 2, 3]).matmul(zeros([5, 3, 2])).shape).toEqual([4, 5, 2, 2]);
    expect(tensor([1, 2, 3]).matmul(zeros([4, 3, 5])).shape).toEqual([4, 5]);
    expect(zeros([4, 2, 3]).matmul(tensor([1, 2, 3])).shape).toEqual([4, 2]);
  });

  test("integers stay integers, mixed dtypes are promoted", () => {
    const i = arange(4).reshape([2, 2]);
    expect(i.matmul(i).dtype).toBe("int32");
    expect(i.matmul(i).arraySync()).toEqual([
      [2, 3],
      [6, 11],
    ]);
    expect(i.matmul(i.to("float32")).dtype).toBe("float32");
  });

  test("gradients", () => {
    const x = a().detach().requiresGrad_();
    const y = b().detach().requiresGrad_();
    x.matmul(y).sum().backward();
    expect(x.grad?.arraySync()).toEqual([
      [1, 5, 9],
      [1, 5, 9],
    ]);
    expect(y.grad?.arraySync()).toEqual([
      [3, 3],
      [5, 5],
      [7, 7],
    ]);
  });

  test("refuses inner sizes that differ, and guesses what was meant", () => {
    const call = () => zeros([32, 784]).matmul(zeros([512, 784]));
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(
      "matmul: cannot multiply [32, 784] by [512, 784]: the inner sizes 784 and 512 differ. " +
        "Did you mean b.transpose(0, 1)?",
    );
    expect(() => zeros([3, 2]).matmul(zeros([3, 4]))).toThrow(
      "the inner sizes 2 and 3 differ. Did you mean a.transpose(0, 1)?",
    );
    expect(() => zeros([2, 3]).matmul(zeros([4, 5]))).toThrow(/differ\.$/);
  });

  test("refuses scalars, booleans, and batches that do not broadcast", () => {
    expect(() => tensor(1).matmul(a())).toThrow(
      "matmul: both tensors must have an axis, got [] and [2, 3]. Use mul().",
    );
    const flags = tensor([[true]]);
    expect(() => flags.matmul(flags)).toThrow(DTypeError);
    expect(() => zeros([2, 2, 2]).matmul(zeros([3, 2, 2]))).toThrow(
      "matmul: the axes in front of the last two must broadcast, got [2, 2, 2] and [3, 2, 2].",
    );
  });
});

test("mm, bmm, dot and outer want exact numbers of axes", () => {
  expect(a().mm(b()).shape).toEqual([2, 2]);
  expect(() => a().mm(tensor([1, 2, 3]))).toThrow(
    "mm: both tensors must have 2 axes, got [2, 3] and [3]. Use matmul().",
  );
  expect(zeros([4, 2, 3]).bmm(zeros([4, 3, 5])).shape).toEqual([4, 2, 5]);
  expect(() => zeros([4, 2, 3]).bmm(zeros([1, 3, 5]))).toThrow(
    "bmm: batch sizes must be equal, got [4, 2, 3] and [1, 3, 5]. matmul() broadcasts.",
  );
  expect(
    tensor([1, 2])
      .dot(tensor([3, 4]))
      .itemSync(),
  ).toBe(11);
  expect(() => a().dot(b())).toThrow("dot: both tensors must have 1 axis, got [2, 3] and [3, 2].");
  expect(
    tensor([1, 2])
      .outer(tensor([3, 4]))
      .arraySync(),
  ).toEqual([
    [3, 4],
    [6, 8],
  ]);
});

test("linear multiplies by the transposed weight", () => {
  const weight = tensor([
    [1, 0, 0],
    [0, 2, 0],
  ]);
  expect(a().linear(weight).arraySync()).toEqual([
    [0, 2],
    [3, 8],
  ]);
  expect(
    a()
      .linear(weight, { bias: tensor([10, 20]) })
      .arraySync(),
  ).toEqual([
    [10, 22],
    [13, 28],
  ]);
  expect(() => a().linear(b())).toThrow(
    "linear: the last size of x must be that of the matrix weight, got [2, 3] and [3, 2].",
  );
});
