import {
  type DType,
  type ElementInstruction,
  type LoadInstruction,
  type LoopKernel,
  philox,
  type ReduceOp,
  type Stage,
  type Store,
} from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { detectFeatures } from "../src/features.ts";
import { prepareKernel } from "./harness.ts";

const load = (
  buffer: number,
  strides: readonly number[],
  dtype: DType = "float32",
  offset = 0,
): LoadInstruction => ({ op: "load", dtype, access: { buffer, offset, strides }, guards: [] });

const element = (
  op: ElementInstruction["op"],
  args: readonly number[],
  dtype: DType = "float32",
): ElementInstruction => ({ op, dtype, args });

const store = (value: number, buffer: number, strides: readonly number[]): Store => ({
  value,
  access: { buffer, offset: 0, strides },
});

function loops(
  outer: readonly number[],
  stages: readonly Stage[],
  numBuffers: number,
  rest: Partial<LoopKernel> = {},
): LoopKernel {
  const buffers = Array.from({ length: numBuffers }, (_, i) => i);
  return { kind: "loop", outer, stages, scratch: [], buffers, scalars: [], label: [], ...rest };
}

/** A row or column reduction: the result for each point of the outer loop is stored to buffer 1. */
function reduction(
  op: ReduceOp,
  dtype: DType,
  [rows, columns]: readonly [number, number],
  strides: readonly number[],
): LoopKernel {
  const result = op === "argmax" || op === "argmin" ? "int32" : dtype;
  return loops(
    [rows],
    [
      {
        inner: [columns],
        code: [load(0, strides, dtype)],
        stores: [],
        results: [{ value: 0, reduce: op }],
      },
      {
        inner: [],
        code: [{ op: "result", dtype: result, stage: 0, result: 0 }],
        stores: [store(0, 1, [1])],
        results: [],
      },
    ],
    2,
  );
}

/** Numbers in [-2, 2) that look random. */
function numbers(length: number, seed = 1): Float32Array {
  return Float32Array.from({ length }, (_, i) => philox(i, 0, seed, 0, 0) / 2 ** 30);
}

function maxOf(row: readonly number[]): number {
  return Math.max(...row);
}

describe("maps", () => {
  test("rows of any length get a bias and keep what is not theirs", () => {
    for (let columns = 1; columns <= 37; columns++) {
      const [x, bias] = [numbers(3 * columns), numbers(columns, 2)];
      const code = [load(0, [columns, 1]), load(1, [0, 1]), element("add", [0, 1])];
      const stage = { inner: [], code, stores: [store(2, 2, [columns, 1])], results: [] };
      const guarded = new Float32Array(3 * columns + 4).fill(7);
      const kernel = prepareKernel(loops([3, columns], [stage], 3), [x, bias, guarded]);
      kernel.run();
      const expected = Array.from(x, (value, i) => Math.fround(value + bias[i % columns]));
      expect([...kernel.read(2)]).toEqual([...expected, 7, 7, 7, 7]);
    }
  });

  test("a range of the outer loops may begin and end anywhere", () => {
    const x = numbers(7 * 13);
    const code = [load(0, [1, 7]), element("sin", [0])];
    const stage = { inner: [], code, stores: [store(1, 1, [13, 1])], results: [] };
    const whole = prepareKernel(loops([7, 13], [stage], 2), [x, new Float32Array(91)]);
    whole.run();
    for (const cuts of [
      [0, 1, 91],
      [0, 5, 29, 30, 64, 91],
      [0, 13, 26, 91],
    ]) {
      const parts = prepareKernel(loops([7, 13], [stage], 2), [x, new Float32Array(91)]);
      for (let i = cuts.length - 1; i > 0; i--) parts.run(cuts[i - 1], cuts[i]);
      expect(parts.read(1)).toEqual(whole.read(1));
    }
  });

  test("guards give 0 where they do not hold, and nothing is read there", () => {
    // Shifts each row to the right by 2: of the buffer's start nothing is read at negative addresses.
    const columns = 11;
    const guard = { offset: -2, strides: [0, 1], size: columns };
    const shifted: LoadInstruction = { ...load(0, [columns, 1], "float32", -2), guards: [guard] };
    const stage = { inner: [], code: [shifted], stores: [store(0, 1, [columns, 1])], results: [] };
    const x = numbers(3 * columns);
    const kernel = prepareKernel(loops([3, columns], [stage], 2), [x, new Float32Array(33)]);
    kernel.run();
    const expected = Array.from(x, (_, i) => (i % columns < 2 ? 0 : x[i - 2]));
    expect([...kernel.read(1)]).toEqual(expected);
  });

  test("a transposed copy, tile by tile, is the same wherever its ranges begin and end", () => {
    const [rows, planes, columns] = [40, 3, 36];
    const guard = { offset: -5, strides: [1, 0, 0], size: 30 };
    const stage: Stage = {
      inner: [],
      code: [
        { ...load(0, [1, rows * columns, rows]), guards: [guard] },
        { op: "index", dtype: "int32", offset: 7, strides: [1000, 100, 1] },
        element("cast", [1]),
        element("add", [0, 2]),
      ],
      stores: [store(3, 1, [planes * columns, columns, 1])],
      results: [],
    };
    const x = Float32Array.from({ length: rows * planes * columns }, (_, i) => i / 2);
    const kernel = loops([rows, planes, columns], [stage], 2);
    const running = prepareKernel(kernel, [x, new Float32Array(x.length)]);
    for (let at = 0, length = 1; at < running.total; at += length, length = (length * 7) % 101) {
      running.run(at, Math.min(at + length, running.total));
    }
    const expected = Float32Array.from(x, (_, i) => {
      const [row, plane, column] = [
        Math.floor(i / (planes * columns)),
        Math.floor(i / columns) % planes,
        i % columns,
      ];
      const value = row >= 5 && row < 35 ? x[row + plane * rows * columns + column * rows] : 0;
      return value + 7 + 1000 * row + 100 * plane + column;
    });
    expect(running.read(1)).toEqual(expected);
  });

  test("booleans, bytes and integers are converted and wrap around", () => {
    const bytes = Uint8Array.from({ length: 21 }, (_, i) => i * 12);
    const code = [
      load(0, [1], "uint8"),
      element("add", [0, 0], "uint8"),
      element("lt", [1, 0], "bool"),
      element("cast", [2], "float32"),
      element("cast", [1], "int32"),
      element("mul", [4, 4], "int32"),
    ];
    const stores = [store(1, 1, [1]), store(2, 2, [1]), store(3, 3, [1]), store(5, 4, [1])];
    const kernel = prepareKernel(loops([21], [{ inner: [], code, stores, results: [] }], 5), [
      bytes,
      new Uint8Array(21),
      new Uint8Array(21),
      new Float32Array(21),
      new Int32Array(21),
    ]);
    kernel.run();
    const doubled = [...bytes].map((byte) => (2 * byte) % 256);
    const wrapped = doubled.map((double, i) => Number(double < bytes[i]));
    expect([...kernel.read(1)]).toEqual(doubled);
    expect([...kernel.read(2)]).toEqual(wrapped);
    expect([...kernel.read(3)]).toEqual(wrapped);
    expect([...kernel.read(4)]).toEqual(doubled.map((double) => double * double));
  });

  test("all four words of Philox are the engine's", () => {
    const index = { op: "index", dtype: "int32", offset: 5, strides: [3] } as const;
    const key = { op: "constant", dtype: "int32", value: -123456789 } as const;
    const words = [0, 1, 2, 3].map((word) => ({
      ...element("philox", [0, 1, 2, 1], "int32"),
      word,
    }));
    const scalar = { op: "scalar", dtype: "int32", scalar: 0 } as const;
    const stores = [0, 1, 2, 3].map((word) => store(3 + word, word, [1]));
    const stage = { inner: [], code: [index, key, scalar, ...words], stores, results: [] };
    const outputs = stores.map(() => new Int32Array(19));
    const kernel = prepareKernel(loops([19], [stage], 4, { scalars: [0] }), outputs, [
      { dtype: "int32", value: 77 },
    ]);
    kernel.run();
    for (const word of [0, 1, 2, 3]) {
      const expected = Array.from(outputs[0], (_, i) =>
        philox(5 + 3 * i, -123456789, 77, -123456789, word),
      );
      expect([...kernel.read(word)]).toEqual(expected);
    }
  });

  test("a chain of thousands of operations is compiled", () => {
    const code = [load(0, [1]), load(1, [0])];
    const chain = Array.from({ length: 5000 }, (_, i) => element("add", [i === 0 ? 0 : i + 1, 1]));
    const stage = {
      inner: [],
      code: [...code, ...chain],
      stores: [store(5001, 2, [1])],
      results: [],
    };
    const kernel = prepareKernel(loops([5], [stage], 3), [
      new Float32Array(5).fill(3),
      new Float32Array(1).fill(2),
      new Float32Array(5),
    ]);
    kernel.run();
    expect([...kernel.read(2)]).toEqual(Array(5).fill(10003));
  });

  test("float64 is computed in double precision", () => {
    const x = Float64Array.from({ length: 9 }, (_, i) => i / 3 - 1);
    const code = [load(0, [1], "float64"), element("exp", [0], "float64")];
    const stage = { inner: [], code, stores: [store(1, 1, [1])], results: [] };
    const kernel = prepareKernel(loops([9], [stage], 2), [x, new Float64Array(9)]);
    kernel.run();
    expect([...kernel.read(1)]).toEqual([...x].map(Math.exp));
  });
});

describe("reductions", () => {
  const rowsAndColumns: [string, (rows: number, columns: number) => readonly number[]][] = [
    ["along rows", (_, columns) => [columns, 1]],
    ["along columns", (rows) => [1, rows]],
  ];

  test.each(rowsAndColumns)("%s, of any length, with every operation", (_, stridesOf) => {
    for (const [rows, columns] of [1, 2, 3, 4, 5, 15, 16, 17, 31, 67].map((n) => [9, n] as const)) {
      const strides = stridesOf(rows, columns);
      const x = Int32Array.from(numbers(rows * columns), (value) => Math.round(value * 20));
      const row = (i: number): number[] =>
        Array.from({ length: columns }, (_, j) => x[i * strides[0] + j * strides[1]]);
      const expected: Record<ReduceOp, (row: number[]) => number> = {
        sum: (values) => values.reduce((a, b) => a + b, 0),
        prod: (values) => values.reduce(Math.imul, 1),
        max: maxOf,
        min: (values) => Math.min(...values),
        argmax: (values) => values.indexOf(maxOf(values)),
        argmin: (values) => values.indexOf(Math.min(...values)),
      };
      for (const op of Object.keys(expected) as ReduceOp[]) {
        const wanted = Array.from({ length: rows }, (_, i) => expected[op](row(i)));
        for (const dtype of ["int32", "float32"] as const) {
          if (dtype === "float32" && op === "prod") continue; // too large to be exact
          const input = dtype === "int32" ? x : Float32Array.from(x);
          const output = dtype === "int32" || op.startsWith("arg") ? Int32Array : Float32Array;
          const kernel = prepareKernel(reduction(op, dtype, [rows, columns], strides), [
            input,
            new output(rows),
          ]);
          kernel.run(3);
          kernel.run(0, 3);
          expect([...kernel.read(1)], `${op} of ${dtype} [${rows}, ${columns}]`).toEqual(wanted);
        }
      }
    }
  });

  test("NaN is the extreme, and the first one counts", () => {
    const x = new Float32Array(20).fill(-Infinity);
    x[11] = Number.NaN;
    x[13] = Number.NaN;
    for (const [op, wanted] of [
      ["max", Number.NaN],
      ["min", Number.NaN],
      ["argmax", 11],
      ["argmin", 11],
    ] as const) {
      const output = op.startsWith("arg") ? new Int32Array(1) : new Float32Array(1);
      const kernel = prepareKernel(reduction(op, "float32", [1, 20], [20, 1]), [x, output]);
      kernel.run();
      expect(kernel.read(1)[0]).toBe(wanted);
    }
    const lowest = prepareKernel(reduction("argmax", "float32", [1, 9], [9, 1]), [
      new Float32Array(9).fill(-Infinity),
      new Int32Array(1),
    ]);
    lowest.run();
    expect(lowest.read(1)[0]).toBe(0);
  });

  test.each([
    ["a row", [1, 1 << 20], [1 << 20, 1]],
    ["columns", [4, 1 << 18], [1, 4]],
  ] as const)("the sum of %s of very many terms is accurate", (_, shape, strides) => {
    const x = new Float32Array(1 << 20).fill(0.1);
    const kernel = prepareKernel(reduction("sum", "float32", shape, strides), [
      x,
      new Float32Array(shape[0]),
    ]);
    kernel.run();
    // One sum after the other would be off by more than 1e-3.
    const exact = shape[1] * Math.fround(0.1);
    expect(Math.abs(kernel.read(1)[0] / exact - 1)).toBeLessThan(2e-5);
  });
});

describe("row patterns", () => {
  const columns = 45;
  const softmax = loops(
    [6],
    [
      {
        inner: [columns],
        code: [load(0, [columns, 1])],
        stores: [],
        results: [{ value: 0, reduce: "max" }],
      },
      {
        inner: [columns],
        code: [
          load(0, [columns, 1]),
          { op: "result", dtype: "float32", stage: 0, result: 0 },
          element("sub", [0, 1]),
          element("exp", [2]),
        ],
        stores: [store(3, 2, [0, 1])],
        results: [{ value: 3, reduce: "sum" }],
      },
      {
        inner: [columns],
        code: [
          load(2, [0, 1]),
          { op: "result", dtype: "float32", stage: 1, result: 0 },
          element("div", [0, 1]),
        ],
        stores: [store(2, 1, [columns, 1])],
        results: [],
      },
    ],
    2,
    { scratch: [{ dtype: "float32", length: columns }] },
  );

  test.each([false, true])("softmax through a scratch row (fused multiply-add: %s)", (fused) => {
    if (fused && !detectFeatures().relaxedSimd) return;
    const x = numbers(6 * columns).map((value) => value * 5);
    const kernel = prepareKernel(softmax, [x, new Float32Array(6 * columns)], [], fused);
    kernel.run(4, 6);
    kernel.run(0, 4);
    const y = kernel.read<Float32Array>(1);
    for (let i = 0; i < 6; i++) {
      const row = [...x.subarray(i * columns, (i + 1) * columns)];
      const powers = row.map((value) => Math.exp(value - maxOf(row)));
      const total = powers.reduce((a, b) => a + b);
      for (let j = 0; j < columns; j++) {
        expect(y[i * columns + j] / (powers[j] / total)).toBeCloseTo(1, 5);
      }
    }
  });

  test("a division by what was found for the row is right also where a reciprocal is not", () => {
    const normalised = loops(
      [4],
      [
        { inner: [9], code: [load(0, [9, 1])], stores: [], results: [{ value: 0, reduce: "max" }] },
        {
          inner: [9],
          code: [
            load(0, [9, 1]),
            { op: "result", dtype: "float32", stage: 0, result: 0 },
            element("div", [0, 1]),
          ],
          stores: [store(2, 1, [9, 1])],
          results: [],
        },
      ],
      2,
    );
    const scales = [1, 1e-39, 3e38, 0];
    const x = Float32Array.from(
      { length: 36 },
      (_, i) => scales[Math.floor(i / 9)] * ((i % 9) / 8),
    );
    const kernel = prepareKernel(normalised, [x, new Float32Array(36)]);
    kernel.run();
    const y = kernel.read(1);
    for (let i = 0; i < 27; i++) expect(y[i]).toBeCloseTo((i % 9) / 8, 4);
    for (let i = 27; i < 36; i++) expect(y[i]).toBeNaN();
  });

  test("what a row computes once may be used at each point, and be stored", () => {
    // y = x · sqrt(Σ x²), and the root itself.
    const square = { inner: [5], code: [load(0, [5, 1]), element("mul", [0, 0])], stores: [] };
    const root = [
      { op: "result", dtype: "float32", stage: 0, result: 0 } as const,
      element("sqrt", [0]),
    ];
    const kernel = prepareKernel(
      loops(
        [7],
        [
          { ...square, results: [{ value: 1, reduce: "sum" }] },
          {
            inner: [],
            code: root,
            stores: [store(1, 2, [1])],
            results: [{ value: 1, reduce: undefined }],
          },
          {
            inner: [5],
            code: [
              load(0, [5, 1]),
              { op: "result", dtype: "float32", stage: 1, result: 0 },
              element("mul", [0, 1]),
            ],
            stores: [store(2, 1, [5, 1])],
            results: [],
          },
        ],
        3,
      ),
      [numbers(35), new Float32Array(35), new Float32Array(7)],
    );
    kernel.run();
    const x = numbers(35);
    for (let i = 0; i < 35; i++) {
      const row = x.subarray(i - (i % 5), i - (i % 5) + 5);
      const norm = Math.hypot(...row);
      expect(kernel.read(2)[Math.floor(i / 5)]).toBeCloseTo(norm, 5);
      expect(kernel.read(1)[i]).toBeCloseTo(x[i] * norm, 5);
    }
  });
});
