import { ArgumentError, type DType, DTypeError, ShapeError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import {
  arange,
  empty,
  eye,
  fromTypedArray,
  full,
  linspace,
  ones,
  onesLike,
  tensor,
  zeros,
  zerosLike,
} from "../src/create.ts";
import type { Tensor } from "../src/tensor.ts";

/** A shape that callers without types might pass. */
function untyped(shape: unknown): readonly number[] {
  return shape as readonly number[];
}

describe("tensor", () => {
  test("reads back what it was given", () => {
    const x = tensor([
      [1, 2.5, -3],
      [4, Number.POSITIVE_INFINITY, 6],
    ]);
    expect(x.shape).toEqual([2, 3]);
    expect(x.dtype).toBe("float32");
    expect(x.requiresGrad).toBe(false);
    expect(x.arraySync()).toEqual([
      [1, 2.5, -3],
      [4, Number.POSITIVE_INFINITY, 6],
    ]);
  });

  test("takes single numbers and booleans", () => {
    expect(tensor(7).itemSync()).toBe(7);
    expect(tensor(true).dtype).toBe("bool");
    expect(tensor([true, false]).dataSync()).toEqual(new Uint8Array([1, 0]));
  });

  test.each([
    ["float32", Float32Array],
    ["float64", Float64Array],
    ["int32", Int32Array],
    ["uint8", Uint8Array],
    ["bool", Uint8Array],
  ] as const)("makes %s", (dtype, array) => {
    const x = tensor([0, 1, 1], { dtype });
    expect(x.dtype).toBe(dtype);
    expect(x.dataSync()).toEqual(new array([0, 1, 1]));
  });

  test("does not see later changes of the data", () => {
    const data = new Float64Array([1, 2]);
    const x = tensor(data);
    const y = fromTypedArray(data, [1, 2]);
    data[0] = 9;
    expect(x.arraySync()).toEqual([1, 2]);
    expect(y.arraySync()).toEqual([[1, 2]]);
    expect(x.dtype).toBe("float64");
  });

  test("requires a gradient only if it is floating", () => {
    expect(tensor([1], { requiresGrad: true }).requiresGrad).toBe(true);
    expect(() => tensor([1], { dtype: "int32", requiresGrad: true })).toThrow(
      new DTypeError(
        'tensor: the tensor must be floating, got int32. Convert it with to("float32").',
        { op: "tensor" },
      ),
    );
  });

  test("fromTypedArray takes an array over if it may, and copies it where it has to", () => {
    const mine = Float32Array.of(1, 2, 3);
    const taken = fromTypedArray(mine, [3], { copy: false });
    mine[0] = 9; // What one must not do: it shows that nothing was copied.
    expect(taken.arraySync()).toEqual([9, 2, 3]);
    const other = fromTypedArray(mine, [3], { copy: false, dtype: "int32" });
    const copied = fromTypedArray(mine, [3]);
    mine[0] = 5;
    expect(other.arraySync()).toEqual([9, 2, 3]);
    expect(copied.arraySync()).toEqual([9, 2, 3]);
    const flags = fromTypedArray(Uint8Array.of(0, 7), [2], { copy: false, dtype: "bool" });
    expect([...flags.dataSync()]).toEqual([0, 1]);
  });

  test("fromTypedArray checks the number of elements, and copies part of a buffer", () => {
    const part = new Float32Array([0, 1, 2, 3, 4]).subarray(1, 4);
    expect(fromTypedArray(part).arraySync()).toEqual([1, 2, 3]);
    expect(fromTypedArray(new Uint8Array([2, 0]), [2], { dtype: "bool" }).arraySync()).toEqual([
      1, 0,
    ]);
    expect(() => fromTypedArray(part, [2, 2])).toThrow(
      new ShapeError(
        "fromTypedArray: the shape must have as many elements as the array, got [2, 2] for 3 elements.",
        { op: "fromTypedArray", shapes: [[2, 2]] },
      ),
    );
  });
});

describe("filled tensors", () => {
  const x = tensor([[1, 2, 3]], { dtype: "int32" });

  test.each([
    ["zeros", zeros([2, 1]), [[0], [0]], "float32"],
    ["ones", ones([2], { dtype: "uint8" }), [1, 1], "uint8"],
    ["empty", empty([1, 0]), [[]], "float32"],
    ["full", full([2], 0.5), [0.5, 0.5], "float32"],
    ["full of a boolean", full([], true), 1, "bool"],
    ["full of an integer", full([1], -2.9, { dtype: "int32" }), [-2], "int32"],
    ["zerosLike", zerosLike(x), [[0, 0, 0]], "int32"],
    ["onesLike", onesLike(x, { dtype: "float64" }), [[1, 1, 1]], "float64"],
    [
      "eye",
      eye(2),
      [
        [1, 0],
        [0, 1],
      ],
      "float32",
    ],
    [
      "eye with m",
      eye(2, { m: 3, dtype: "bool" }),
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
      "bool",
    ],
    ["eye of nothing", eye(0), [], "float32"],
  ] as [string, Tensor, unknown, DType][])("%s", (_, result, values, dtype) => {
    expect(result.arraySync()).toEqual(values);
    expect(result.dtype).toBe(dtype);
  });

  test("pass requiresGrad on", () => {
    for (const make of [zeros, ones, empty]) {
      expect(make([2], { requiresGrad: true }).requiresGrad).toBe(true);
    }
    expect(full([2], 3, { requiresGrad: true }).requiresGrad).toBe(true);
    expect(() => eye(2, { dtype: "bool", requiresGrad: true })).toThrow(DTypeError);
  });

  test.each([
    [[2, -1], "zeros: sizes must be integers of at least 0, got [2, -1]."],
    [[1.5], "zeros: sizes must be integers of at least 0, got [1.5]."],
    [[Number.NaN], "zeros: sizes must be integers of at least 0, got [NaN]."],
    [3, "zeros: shape must be an array, got 3."],
  ])("refuse the shape %j", (shape, message) => {
    expect(() => zeros(untyped(shape))).toThrow(new ShapeError(message, { op: "zeros" }));
  });

  test("refuse a shape that is too large", () => {
    expect(() => zeros([65536, 65536])).toThrow(
      /zeros: a tensor must have at most 2147483647 elements, got 4294967296 in \[65536, 65536\]/,
    );
  });

  test("refuse a value that does not fit", () => {
    expect(() => full([2], 300, { dtype: "uint8" })).toThrow(
      new ArgumentError("full: a value must fit into uint8, got 300. Give another dtype.", {
        op: "full",
      }),
    );
  });
});

describe("arange", () => {
  test.each([
    [arange(4), [0, 1, 2, 3], "int32"],
    [arange(2, 5), [2, 3, 4], "int32"],
    [arange(5, 0, { step: -2 }), [5, 3, 1], "int32"],
    [arange(0, 1, { step: 0.25 }), [0, 0.25, 0.5, 0.75], "float32"],
    [arange(2.5), [0, 1, 2], "float32"],
    [arange(3, { dtype: "float64" }), [0, 1, 2], "float64"],
    [arange(2, 2), [], "int32"],
  ] as [Tensor, number[], DType][])("%s", (result, values, dtype) => {
    expect(result.arraySync()).toEqual(values);
    expect(result.dtype).toBe(dtype);
  });

  test("rounds once: each number is the float32 closest to start + i · step", () => {
    const expected = Float32Array.from({ length: 1000 }, (_, i) => 0.1 * i);
    expect(arange(0, 100, { step: 0.1 }).dataSync()).toEqual(expected);
  });

  test.each([
    [0, 5, -1],
    [5, 0, 1],
    [0, 5, 0],
    [0, Number.POSITIVE_INFINITY, 1],
    [Number.NaN, 1, 1],
  ])("refuses %d to %d by %d", (start, end, step) => {
    expect(() => arange(start, end, { step })).toThrow(
      new ArgumentError(
        `arange: step must lead from start to end, got start ${start}, end ${end}, step ${step}.`,
        { op: "arange" },
      ),
    );
  });
});

describe("linspace", () => {
  test("includes both ends exactly", () => {
    expect(linspace(-1, 1, 5).arraySync()).toEqual([-1, -0.5, 0, 0.5, 1]);
    const x = linspace(0, 0.3, 7, { dtype: "float64" }).dataSync();
    expect(x[6]).toBe(0.3);
    expect(linspace(3, 9, 1).arraySync()).toEqual([3]);
    expect(linspace(3, 9, 0).arraySync()).toEqual([]);
    expect(linspace(5, 1, 3, { dtype: "int32" }).arraySync()).toEqual([5, 3, 1]);
  });

  test("refuses a count that is none", () => {
    expect(() => linspace(0, 1, -1)).toThrow(
      new ArgumentError("linspace: steps must be an integer of at least 0, got -1.", {
        op: "linspace",
      }),
    );
  });
});

test("element types that there are not are refused, with those that there are", () => {
  const options: object = { dtype: "int64" };
  const rule = 'dtype must be "bool" or "uint8" or "int32" or "float32" or "float64", got int64.';
  expect(() => tensor([1], options)).toThrow(`tensor: ${rule}`);
  expect(() => zeros([2], options)).toThrow(`zeros: ${rule}`);
  expect(() => full([2], 1, options)).toThrow(`full: ${rule}`);
  expect(() => fromTypedArray(new Float32Array(2), [2], options)).toThrow(rule);
});
