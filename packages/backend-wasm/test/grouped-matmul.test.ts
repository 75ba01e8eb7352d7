import { checkProgram, JsBackend } from "@gradloom/backend-js";
import type { MatmulKernel, Program, TypedArray } from "@gradloom/engine";
import { describe, expect, it, vi } from "vitest";
import { WasmBackend } from "../src/wasm-backend.ts";

vi.mock("../src/wide-simd.ts", () => import("./unpaired.ts"));

interface Case {
  readonly along: "rows" | "terms";
  readonly sizes: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether the operands' columns, not their rows, are contiguous. */
  readonly turned?: boolean;
  readonly fused?: boolean;
}

const one = new WasmBackend({ threads: 1 });
const three = new WasmBackend({ threads: 3 });
const wide = new WasmBackend({ threads: 2, wideSimd: true });
const oracle = new JsBackend(checkProgram);

/** What a backend makes of it, in an output that held 7 everywhere. */
function run(
  backend: JsBackend | WasmBackend,
  { along, sizes, m, n, k, turned = false, fused = false }: Case,
): TypedArray {
  const groups = sizes.length;
  const bounds = Int32Array.from([0, ...sizes.keys()], (_, i) => sum(sizes.slice(0, i)));
  const values = (length: number, seed: number) =>
    Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(seed + i * 1.7)));
  const isRows = along === "rows";
  const points = (isRows ? 1 : groups) * m * n;
  const arrays = [
    values(m * k, 1),
    values((isRows ? groups : 1) * k * n, 2),
    new Float32Array(points + 1).fill(7),
    values(n, 3),
    bounds,
  ];
  const kernel: MatmulKernel = {
    kind: "matmul",
    dtype: "float32",
    batch: [groups],
    ...{ m, n, k },
    a: {
      buffer: 0,
      offset: 0,
      batchStrides: [0],
      rowStride: turned ? 1 : k,
      columnStride: turned ? m : 1,
    },
    b: {
      buffer: 1,
      offset: 0,
      batchStrides: [isRows ? k * n : 0],
      rowStride: turned ? 1 : n,
      columnStride: turned ? k : 1,
    },
    groups: { along, bounds: 4 },
    buffers: [0, 1, 2, 3, 4],
    scalars: [],
    label: [],
    epilogue: {
      inner: [],
      code: [
        { op: "product", dtype: "float32" },
        {
          op: "load",
          dtype: "float32",
          guards: [],
          access: { buffer: 3, offset: 0, strides: [0, 0, 1] },
        },
        { op: "add", dtype: "float32", args: [0, 1] },
      ],
      stores: [
        {
          value: fused ? 2 : 0,
          access: { buffer: 2, offset: 1, strides: [isRows ? 0 : m * n, n, 1] },
        },
      ],
      results: [],
    },
  };
  const program: Program = {
    kernels: [kernel],
    barriers: [false],
    buffers: arrays.map((array) => ({
      dtype: array instanceof Int32Array ? "int32" : "float32",
      length: array.length,
      arenaOffset: undefined,
    })),
    scalars: [],
    arenaBytes: 0,
  };
  const addresses = arrays.map((array) => {
    const address = backend.allocate(array.byteLength);
    backend.write(address, array);
    return address;
  });
  const executable = backend.compile(program);
  executable.run(addresses, []);
  const result = backend.readSync(addresses[2], "float32", points + 1);
  executable.dispose?.();
  for (const address of addresses) backend.free(address);
  return result;
}

const sum = (sizes: readonly number[]) => sizes.reduce((a, b) => a + b, 0);

/** The largest difference, in parts of what the terms allow. */
function worst(actual: TypedArray, expected: TypedArray, terms: number): number {
  let largest = 0;
  actual.forEach((x, i) => {
    const error = Math.abs(x - expected[i]) / (Math.abs(expected[i]) + Math.sqrt(terms) + 1);
    // A NaN counts as well.
    if (!(error <= largest)) largest = error;
  });
  return largest;
}

const sizes: readonly (readonly number[])[] = [
  [3, 0, 5],
  [0, 0],
  [7],
  [0, 1, 0, 0, 2],
  [40, 1, 33, 0, 60],
  [270, 4],
];
const shapes = [
  [1, 1],
  [3, 5],
  [17, 8],
  [40, 24],
  [33, 130],
] as const;

const cases: Case[] = sizes
  .flatMap((groups, i) =>
    shapes.flatMap(([a, b], j): Case[] => {
      const rows = sum(groups) + [0, 3, 70][(i + j) % 3];
      const parts = { sizes: groups, turned: j % 2 === 1, fused: (i + j) % 2 === 1 };
      return [
        { ...parts, along: "rows", m: rows, k: a, n: b },
        { ...parts, along: "terms", k: rows, m: a, n: b },
      ];
    }),
  )
  .filter(({ m, k }) => m > 0 && k > 0);

describe("products of groups", { timeout: 60_000 }, () => {
  it.each(["rows", "terms"])(
    "of %s are those of the oracle, with the same bits on any number of threads",
    (along) => {
      for (const each of cases.filter((one) => one.along === along)) {
        const expected = run(oracle, each);
        const actual = run(one, each);
        const name = JSON.stringify(each);
        expect(worst(actual, expected, each.k), name).toBeLessThan(4e-6);
        for (const other of [three, wide]) expect(run(other, each), name).toEqual(actual);
      }
    },
  );
});
