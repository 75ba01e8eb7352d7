import { ArgumentError, ShapeError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { flatten, type TensorData, unflatten } from "../src/nested.ts";

/** What a caller without types might pass. */
function untyped(data: unknown): TensorData {
  return data as TensorData;
}

describe("flatten", () => {
  test("numbers are float32, in row-major order", () => {
    expect(
      flatten([
        [1, 2.5, Number.NaN],
        [4, 5, -0],
      ]),
    ).toEqual({
      data: new Float32Array([1, 2.5, Number.NaN, 4, 5, -0]),
      shape: [2, 3],
      dtype: "float32",
    });
  });

  test("booleans are bool, also as numbers of another dtype", () => {
    expect(flatten([true, false])).toEqual({
      data: new Uint8Array([1, 0]),
      shape: [2],
      dtype: "bool",
    });
    expect(flatten([true, false], "float64").data).toEqual(new Float64Array([1, 0]));
  });

  test.each([
    [new Float32Array([1]), "float32"],
    [new Float64Array([1]), "float64"],
    [new Int32Array([1]), "int32"],
    [new Int16Array([1]), "int32"],
    [new Uint32Array([1]), "int32"],
    [new Uint8Array([1]), "uint8"],
    [new Uint8ClampedArray([1]), "uint8"],
  ] as const)("%s gives %s", (data, dtype) => {
    expect(flatten(data).dtype).toBe(dtype);
    expect(flatten([data, data]).shape).toEqual([2, 1]);
  });

  test("a single number has no axes; empty arrays keep theirs", () => {
    expect(flatten(3).shape).toEqual([]);
    expect(flatten([]).shape).toEqual([0]);
    expect(flatten([[], []]).shape).toEqual([2, 0]);
    expect(flatten([new Int32Array(0)])).toEqual({
      data: new Int32Array(0),
      shape: [1, 0],
      dtype: "int32",
    });
  });

  test("copies, so that later changes of the data do not reach it", () => {
    const data = new Float32Array([1, 2]);
    const flat = flatten(data);
    data[0] = 9;
    expect(flat.data).toEqual(new Float32Array([1, 2]));
  });

  test("cuts fractions off for integers, and asks whether a number is zero for bool", () => {
    expect(flatten([1.9, -1.9], "int32").data).toEqual(new Int32Array([1, -1]));
    expect(flatten([0, 0.5, Number.NaN], "bool").data).toEqual(new Uint8Array([0, 1, 1]));
  });

  test.each([
    [
      [
        [1, 2, 3],
        [4, 5],
      ],
      "tensor: arrays must be equally long, got 3 entries at [0] and 2 at [1].",
    ],
    [
      [
        [[1], [2]],
        [[3], [4, 5]],
      ],
      "tensor: arrays must be equally long, got 1 entries at [0][0] and 2 at [1][1].",
    ],
    [
      [new Float32Array(2), new Float32Array(3)],
      "tensor: arrays must be equally long, got 2 entries at [0] and 3 at [1].",
    ],
    [[[1, 2], 3], "tensor: entries must be nested equally deep, got an array at [0] and 3 at [1]."],
    [
      [1, [2]],
      "tensor: entries must be nested equally deep, got a number at [0] and an array at [1].",
    ],
    [[[], 3], "tensor: entries must be nested equally deep, got an array at [0] and 3 at [1]."],
  ])("refuses ragged data %j", (data, message) => {
    expect(() => flatten(untyped(data))).toThrow(new ShapeError(message, { op: "tensor" }));
  });

  test.each([
    [
      [
        [1, 2],
        [3, "4"],
      ],
      'tensor: entries must be numbers, booleans or typed arrays, got "4" at [1][1].',
    ],
    [[1, null], "tensor: entries must be numbers, booleans or typed arrays, got null at [1]."],
    [undefined, "tensor: entries must be numbers, booleans or typed arrays, got undefined."],
    [
      [10n],
      "tensor: entries must be numbers, booleans or typed arrays, got 10n at [0]. Convert it with Number(…).",
    ],
    [
      { shape: [1] },
      "tensor: entries must be numbers, booleans or typed arrays, got a Object. Join tensors with stack([…]).",
    ],
    [[1, true], "tensor: entries must be of one kind, got number first and boolean at [1]."],
    [
      [new Int32Array(1), new Float32Array(1)],
      "tensor: entries must be of one kind, got Int32Array first and Float32Array at [1].",
    ],
  ])("refuses entries that are no numbers: %s", (data, message) => {
    expect(() => flatten(untyped(data))).toThrow(new ArgumentError(message, { op: "tensor" }));
  });

  test.each([
    [
      [0, 2 ** 31],
      "int32",
      "tensor: a value must fit into int32, got 2147483648 at [1]. Give another dtype.",
    ],
    [
      [[Number.NaN]],
      "int32",
      "tensor: a value must fit into int32, got NaN at [0][0]. Give another dtype.",
    ],
    [[-1], "uint8", "tensor: a value must fit into uint8, got -1 at [0]. Give another dtype."],
    [256, "uint8", "tensor: a value must fit into uint8, got 256. Give another dtype."],
  ] as const)("refuses %j as %s", (data, dtype, message) => {
    expect(() => flatten(data, dtype)).toThrow(new ArgumentError(message, { op: "tensor" }));
  });

  test("refuses an array that contains itself", () => {
    const data: TensorData[] = [];
    data.push(data);
    expect(() => flatten(data)).toThrow(/at most 32 deep/);
  });

  test("sees a hole as what it is", () => {
    expect(() => flatten(untyped(new Array(2)))).toThrow(/got undefined at \[0\]/);
  });
});

describe("unflatten", () => {
  test("is the inverse of flatten", () => {
    const nested = [[[1, 2, 3]], [[4, 5, 6]]];
    const { data, shape } = flatten(nested);
    expect(unflatten(data, shape)).toEqual(nested);
  });

  test("gives a number for no axes, and empty arrays where a size is 0", () => {
    expect(unflatten(new Int32Array([7]), [])).toBe(7);
    expect(unflatten(new Int32Array(0), [2, 0])).toEqual([[], []]);
    expect(unflatten(new Int32Array(0), [0, 2])).toEqual([]);
  });
});
