import type { Instruction, ReduceOp } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { checkProgram, JsBackend } from "../src/index.ts";
import {
  blank,
  type Content,
  content,
  type KernelBody,
  load,
  loopKernel,
  runKernel,
  stage,
  store,
} from "./programs.ts";

const f = Math.fround;

function run(
  ...args: Parameters<typeof runKernel> extends [unknown, ...infer Rest] ? Rest : never
) {
  return runKernel(new JsBackend(checkProgram), ...args);
}

/** Reduces the rows of a matrix of `rows × columns` in buffer 0 into buffer 1. */
function reduceRows(op: ReduceOp, x: Content, rows: number, columns: number): number[] {
  const dtype = op === "argmax" || op === "argmin" ? "int32" : x.dtype;
  const stages = [
    stage({
      inner: [columns],
      code: [load(x.dtype, 0, [columns, 1])],
      results: [{ value: 0, reduce: op }],
    }),
    stage({ code: [{ op: "result", dtype, stage: 0, result: 0 }], stores: [store(0, 1, [1])] }),
  ];
  return run(loopKernel([rows], stages), [x, blank(dtype, rows)])[1];
}

describe("reductions", () => {
  const matrix = content("float32", [1, -2, 4, 0.5, 7, 7]);

  test.each<[ReduceOp, number[]]>([
    ["sum", [3, 14.5]],
    ["prod", [-8, 24.5]],
    ["max", [4, 7]],
    ["min", [-2, 0.5]],
    ["argmax", [2, 1]],
    ["argmin", [1, 0]],
  ])("%s of float32", (op, expected) => {
    expect(reduceRows(op, matrix, 2, 3)).toEqual(expected);
  });

  test.each<[ReduceOp, number[]]>([
    ["sum", [NaN]],
    ["prod", [NaN]],
    ["max", [NaN]],
    ["min", [NaN]],
    ["argmax", [1]],
    ["argmin", [1]],
  ])("%s meets NaN", (op, expected) => {
    expect(reduceRows(op, content("float64", [1, NaN, 5, NaN]), 1, 4)).toEqual(expected);
  });

  test("argmax and argmin give the first NaN, also in front, and the first of equals", () => {
    expect(reduceRows("argmax", content("float32", [NaN, 9]), 1, 2)).toEqual([0]);
    expect(reduceRows("argmin", content("float32", [2, 1, 1]), 1, 3)).toEqual([1]);
    expect(reduceRows("argmax", content("float32", [-Infinity, -Infinity]), 1, 2)).toEqual([0]);
    expect(reduceRows("argmax", content("bool", [0, 1, 1]), 1, 3)).toEqual([1]);
  });

  test("float32 is summed in double precision and rounded once", () => {
    const tenths = new Array<number>(1000).fill(f(0.1));
    expect(reduceRows("sum", content("float32", tenths), 1, 1000)).toEqual([f(1000 * f(0.1))]);
    const cancelling = content("float32", [1e8, 1, -1e8]);
    expect(reduceRows("sum", cancelling, 1, 3)).toEqual([1]);
  });

  test("integers wrap around", () => {
    const high = 2 ** 31 - 1;
    expect(reduceRows("sum", content("int32", [high, high, 3]), 1, 3)).toEqual([1]);
    expect(reduceRows("prod", content("int32", [65537, 65537, 3]), 1, 3)).toEqual([393219]);
    expect(reduceRows("sum", content("uint8", [200, 100]), 1, 2)).toEqual([44]);
    expect(reduceRows("prod", content("uint8", [20, 20]), 1, 2)).toEqual([144]);
    expect(reduceRows("max", content("int32", [-7, -3]), 1, 2)).toEqual([-3]);
    expect(reduceRows("min", content("uint8", [200, 100]), 1, 2)).toEqual([100]);
  });

  test("of nothing give the neutral element", () => {
    const nothing = content("float32", []);
    expect(reduceRows("sum", nothing, 1, 0)).toEqual([0]);
    expect(reduceRows("prod", nothing, 1, 0)).toEqual([1]);
    expect(reduceRows("max", nothing, 1, 0)).toEqual([-Infinity]);
    expect(reduceRows("min", content("int32", []), 1, 0)).toEqual([2 ** 31 - 1]);
  });

  test("positions count row-major over several inner loops, whatever the strides", () => {
    // x is [2, 3]; the inner loops run over its transpose, [3, 2].
    const x = content("float32", [1, 2, 3, 9, 5, 6]);
    const stages = [
      stage({
        inner: [3, 2],
        code: [load("float32", 0, [1, 3])],
        results: [
          { value: 0, reduce: "argmax" },
          { value: 0, reduce: "sum" },
        ],
      }),
      stage({
        code: [
          { op: "result", dtype: "int32", stage: 0, result: 0 },
          { op: "result", dtype: "float32", stage: 0, result: 1 },
        ],
        stores: [store(0, 1, []), store(1, 2, [])],
      }),
    ];
    const out = run(loopKernel([], stages), [x, blank("int32", 1), blank("float32", 1)]);
    expect(out.slice(1)).toEqual([[1], [26]]);
  });
});

describe("row kernels", () => {
  test("softmax in three stages over a scratch row", () => {
    const rows = 2;
    const columns = 3;
    const x = [1, 2, 3, -1, 0, 100];
    const scratch = 2;
    const result = (number: number): Instruction => ({
      op: "result",
      dtype: "float32",
      stage: number,
      result: 0,
    });
    const stages = [
      stage({
        inner: [columns],
        code: [load("float32", 0, [columns, 1])],
        results: [{ value: 0, reduce: "max" }],
      }),
      stage({
        inner: [columns],
        code: [
          load("float32", 0, [columns, 1]),
          result(0),
          { op: "sub", dtype: "float32", args: [0, 1] },
          { op: "exp", dtype: "float32", args: [2] },
        ],
        stores: [store(3, scratch, [0, 1])],
        results: [{ value: 3, reduce: "sum" }],
      }),
      stage({
        inner: [columns],
        code: [
          load("float32", scratch, [0, 1]),
          result(1),
          { op: "div", dtype: "float32", args: [0, 1] },
        ],
        stores: [store(2, 1, [columns, 1])],
      }),
    ];
    const kernel = loopKernel([rows], stages, [{ dtype: "float32", length: columns }]);
    const out = run(kernel, [content("float32", x), blank("float32", 6)])[1];
    const expected = [x.slice(0, 3), x.slice(3)].flatMap((row) => {
      const powers = row.map((value) => f(Math.exp(f(value - Math.max(...row)))));
      const sum = f(powers.reduce((a, b) => a + b));
      return powers.map((power) => f(power / sum));
    });
    expect(out).toEqual(expected);
  });

  test("a stage without inner loops leaves its value for later stages", () => {
    const stages = [
      stage({ code: [load("int32", 0, [1])], results: [{ value: 0, reduce: undefined }] }),
      stage({
        inner: [2],
        code: [
          { op: "result", dtype: "int32", stage: 0, result: 0 },
          { op: "index", dtype: "int32", offset: 100, strides: [10, 1] },
          { op: "add", dtype: "int32", args: [0, 1] },
        ],
        stores: [store(2, 1, [2, 1])],
      }),
    ];
    const out = run(loopKernel([2], stages), [content("int32", [1000, 2000]), blank("int32", 4)]);
    expect(out[1]).toEqual([1100, 1101, 2110, 2111]);
  });
});

describe("maps", () => {
  test("flip and transpose are strides", () => {
    const code = [load("float32", 0, [-1, -3], 5)];
    const kernel = loopKernel([3, 2], [stage({ code, stores: [store(0, 1, [2, 1])] })]);
    const out = run(kernel, [content("float32", [0, 1, 2, 3, 4, 5]), blank("float32", 6)])[1];
    expect(out).toEqual([5, 2, 4, 1, 3, 0]);
  });

  test("a guard gives 0 without reading: padding", () => {
    const guard = { offset: -1, strides: [1], size: 3 };
    const code = [load("float32", 0, [1], -1, [guard])];
    const kernel = loopKernel([6], [stage({ code, stores: [store(0, 1, [1])] })]);
    const out = run(kernel, [content("float32", [5, 6, 7]), blank("float32", 6)])[1];
    expect(out).toEqual([0, 5, 6, 7, 0, 0]);
  });

  test("all guards of a load must hold", () => {
    const guards = [
      { offset: 0, strides: [1, 0], size: 2 },
      { offset: -1, strides: [0, 1], size: 2 },
    ];
    const code = [load("int32", 0, [2, 1], -1, guards)];
    const kernel = loopKernel([3, 4], [stage({ code, stores: [store(0, 1, [4, 1])] })]);
    const out = run(kernel, [content("int32", [1, 2, 3, 4]), blank("int32", 12)])[1];
    expect(out).toEqual([0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0]);
  });

  test("writes in place, and to several buffers", () => {
    const code: Instruction[] = [
      load("float32", 0, [1]),
      { op: "scalar", dtype: "float32", scalar: 0 },
      { op: "constant", dtype: "float32", value: 0.1 },
      { op: "mul", dtype: "float32", args: [0, 1] },
      { op: "add", dtype: "float32", args: [3, 2] },
      { op: "lt", dtype: "bool", args: [4, 0] },
    ];
    const stores = [store(4, 0, [1]), store(5, 1, [1])];
    const out = run(
      loopKernel([3], [stage({ code, stores })]),
      [content("float32", [1, -2, 3]), blank("bool", 3)],
      [{ dtype: "float32", value: 0.7 }],
    );
    const expected = [1, -2, 3].map((x) => f(f(x * f(0.7)) + f(0.1)));
    expect(out).toEqual([expected, [1, 0, 1]]);
  });

  test("a loop of size 0 does nothing", () => {
    const code = [load("float32", 0, [1, 1])];
    const kernel = loopKernel([2, 0], [stage({ code, stores: [store(0, 1, [0, 0])] })]);
    expect(run(kernel, [content("float32", []), blank("float32", 1)])[1]).toEqual([77]);
  });
});

describe("products of matrices", () => {
  const m = 2;
  const n = 3;
  const k = 4;
  const a = Array.from({ length: m * k }, (_, i) => i - 2.5);
  const b = Array.from({ length: k * n }, (_, i) => ((i * 5) % 7) - 3);
  const product = Array.from({ length: m * n }, (_, i) => {
    let sum = 0;
    for (let p = 0; p < k; p++) sum += a[Math.floor(i / n) * k + p] * b[p * n + (i % n)];
    return sum;
  });
  const transpose = (x: readonly number[], rows: number): number[] => {
    const columns = x.length / rows;
    return x.map((_, i) => x[(i % rows) * columns + Math.floor(i / rows)]);
  };
  const plain = stage({
    code: [{ op: "product", dtype: "float32" }],
    stores: [store(0, 2, [n, 1])],
  });
  const matmul = (parts: Partial<Extract<KernelBody, { kind: "matmul" }>>): KernelBody => ({
    kind: "matmul",
    label: ["matmul"],
    dtype: "float32",
    batch: [],
    m,
    n,
    k,
    a: { buffer: 0, offset: 0, batchStrides: [], rowStride: k, columnStride: 1 },
    b: { buffer: 1, offset: 0, batchStrides: [], rowStride: n, columnStride: 1 },
    epilogue: plain,
    ...parts,
  });

  test.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("a transposed: %s, b transposed: %s", (ta, tb) => {
    const kernel = matmul({
      a: {
        buffer: 0,
        offset: 1,
        batchStrides: [],
        rowStride: ta ? 1 : k,
        columnStride: ta ? m : 1,
      },
      b: {
        buffer: 1,
        offset: 0,
        batchStrides: [],
        rowStride: tb ? 1 : n,
        columnStride: tb ? k : 1,
      },
    });
    const out = run(kernel, [
      content("float32", [99, ...(ta ? transpose(a, m) : a)]),
      content("float32", tb ? transpose(b, k) : b),
      blank("float32", m * n),
    ]);
    expect(out[2]).toEqual(product);
  });

  test("batches, one operand broadcast, and an epilogue with bias and activation", () => {
    const kernel = matmul({
      batch: [2],
      a: { buffer: 0, offset: 0, batchStrides: [m * k], rowStride: k, columnStride: 1 },
      b: { buffer: 1, offset: 0, batchStrides: [0], rowStride: n, columnStride: 1 },
      epilogue: stage({
        code: [
          { op: "product", dtype: "float32" },
          load("float32", 3, [0, 0, 1]),
          { op: "add", dtype: "float32", args: [0, 1] },
          { op: "constant", dtype: "float32", value: 0 },
          { op: "max", dtype: "float32", args: [2, 3] },
        ],
        stores: [store(4, 2, [m * n, n, 1]), store(2, 4, [m * n, 1, m])],
      }),
    });
    const bias = [10, 0, -10];
    const out = run(kernel, [
      content("float32", [...a, ...a.map((x) => -x)]),
      content("float32", b),
      blank("float32", 2 * m * n),
      content("float32", bias),
      blank("float32", 2 * m * n),
    ]);
    const sums = [...product, ...product.map((x) => -x)].map((x, i) => x + bias[i % n]);
    expect(out[2]).toEqual(sums.map((x) => Math.max(x, 0)));
    const transposed = [...transpose(sums.slice(0, m * n), m), ...transpose(sums.slice(m * n), m)];
    expect(out[4]).toEqual(transposed);
  });

  test("int32 wraps; float32 is summed in double precision; float64 keeps its digits", () => {
    const dot = (dtype: "int32" | "float32" | "float64", x: number[], y: number[]) =>
      run(
        matmul({
          dtype,
          m: 1,
          n: 1,
          k: x.length,
          a: { buffer: 0, offset: 0, batchStrides: [], rowStride: 0, columnStride: 1 },
          b: { buffer: 1, offset: 0, batchStrides: [], rowStride: 1, columnStride: 0 },
          epilogue: stage({
            code: [{ op: "product", dtype }],
            stores: [store(0, 2, [0, 0])],
          }),
        }),
        [content(dtype, x), content(dtype, y), blank(dtype, 1)],
      )[2][0];
    expect(dot("int32", [65537, 65537], [65537, 65537])).toBe(262146);
    expect(dot("float32", [1e8, 1, -1e8], [1, 1, 1])).toBe(1);
    expect(dot("float64", [0.1, 0.2], [3, 1])).toBe(0.1 * 3 + 0.2);
    expect(dot("float64", [], [])).toBe(0);
  });
});
