import type { MatmulKernel, Program, Stage } from "@gradloom/engine";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { WasmBackend } from "../src/wasm-backend.ts";

vi.mock("../src/wide-simd.ts", () => import("./unpaired.ts"));

/** A batch of matrices in a buffer, with whatever is between its elements. */
interface Matrices {
  readonly values: Float32Array;
  readonly offset: number;
  readonly batchStride: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

type Layout = "rows" | "columns" | "spread" | "shared" | "backwards";

function matrices(
  layout: Layout,
  batch: number,
  rows: number,
  columns: number,
  seed: number,
): Matrices {
  const gap = layout === "spread" ? 3 : 0;
  const step = layout === "spread" ? 2 : 1;
  let [rowStride, columnStride] = layout === "columns" ? [1, rows] : [columns * step + gap, step];
  let size = (rows - 1) * rowStride + (columns - 1) * columnStride + 1;
  const batchStride = layout === "shared" ? 0 : size + gap;
  let offset = gap;
  if (layout === "backwards") {
    offset = (rows - 1) * rowStride;
    rowStride = -rowStride;
  }
  size += (batch - 1) * batchStride + offset;
  const values = Float32Array.from({ length: size }, (_, i) =>
    Math.fround(Math.sin(seed + i * 1.7)),
  );
  return { values, offset, batchStride, rowStride, columnStride };
}

/** `[product + bias[column], then squared]` with the output's rows `extra` elements apart, or the product as it is. */
function epilogue(fused: boolean, batched: boolean, m: number, n: number, extra: number): Stage {
  const row = n + extra;
  const strides = batched ? [m * row, row, 1] : [row, 1];
  if (!fused) {
    return {
      inner: [],
      code: [{ op: "product", dtype: "float32" }],
      stores: [{ value: 0, access: { buffer: 2, offset: 1, strides } }],
      results: [],
    };
  }
  const bias = { buffer: 3, offset: 0, strides: batched ? [0, 0, 1] : [0, 1] };
  return {
    inner: [],
    code: [
      { op: "product", dtype: "float32" },
      { op: "load", dtype: "float32", guards: [], access: bias },
      { op: "scalar", dtype: "float32", scalar: 0 },
      { op: "mul", dtype: "float32", args: [1, 2] },
      { op: "add", dtype: "float32", args: [0, 3] },
    ],
    stores: [{ value: 4, access: { buffer: 2, offset: 1, strides } }],
    results: [],
  };
}

interface Case {
  readonly sizes: readonly [m: number, n: number, k: number];
  readonly batch: number | undefined;
  readonly layouts: readonly [Layout, Layout];
  readonly fused: boolean;
  readonly extra: number;
}

const backends = [
  new WasmBackend({ threads: 1 }),
  new WasmBackend({ threads: 3 }),
  new WasmBackend({ threads: 1, wideSimd: true }),
];
const fma = new WasmBackend({ threads: 1, relaxedSimd: true });

/** Compares with sums in float64, and returns what was computed. */
function run(backend: WasmBackend, { sizes, batch, layouts, fused, extra }: Case): Float32Array {
  const [m, n, k] = sizes;
  const count = batch ?? 1;
  const a = matrices(layouts[0], count, m, k, 1);
  const b = matrices(layouts[1], count, k, n, 2);
  const bias = Float32Array.from({ length: n }, (_, j) => j / 4);
  const output = new Float32Array(1 + count * m * (n + extra)).fill(7);
  const batched = batch !== undefined;
  const operand = (buffer: number, matrix: Matrices) => ({
    buffer,
    offset: matrix.offset,
    batchStrides: batched ? [matrix.batchStride] : [],
    rowStride: matrix.rowStride,
    columnStride: matrix.columnStride,
  });
  const kernel: MatmulKernel = {
    kind: "matmul",
    dtype: "float32",
    batch: batched ? [count] : [],
    m,
    n,
    k,
    a: operand(0, a),
    b: operand(1, b),
    buffers: [0, 1, 2, 3],
    scalars: [0],
    label: [],
    epilogue: epilogue(fused, batched, m, n, extra),
  };
  const arrays = [a.values, b.values, output, bias];
  const program: Program = {
    kernels: [kernel],
    barriers: [false],
    buffers: arrays.map(({ length }) => ({ dtype: "float32", length, arenaOffset: undefined })),
    scalars: ["float32"],
    arenaBytes: 0,
  };
  const addresses = arrays.map((array) => {
    const address = backend.allocate(array.byteLength);
    backend.write(address, array);
    return address;
  });
  const executable = backend.compile(program);
  executable.run(addresses, [2]);
  const result = backend.readSync(addresses[2], "float32", output.length) as Float32Array;
  executable.dispose?.();
  for (const address of addresses) backend.free(address);

  let worst = 0;
  for (let at = 0; at < count; at++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) {
          const x = a.offset + at * a.batchStride + i * a.rowStride + p * a.columnStride;
          const y = b.offset + at * b.batchStride + p * b.rowStride + j * b.columnStride;
          sum += a.values[x] * b.values[y];
        }
        if (fused) sum += 2 * bias[j];
        const actual = result[1 + (at * m + i) * (n + extra) + j];
        const error = Math.abs(actual - sum) / (Math.abs(sum) + Math.sqrt(k) + 1);
        // A NaN counts as well.
        if (!(error <= worst)) worst = error;
      }
      // Nothing is written between the rows.
      for (let j = n; j < n + extra; j++) {
        if (result[1 + (at * m + i) * (n + extra) + j] !== 7) worst = Infinity;
      }
    }
  }
  expect(worst).toBeLessThan(4e-6);
  expect(result[0]).toBe(7);
  return result;
}

function check(tested: Case): void {
  const [one, ...others] = backends.map((backend) => run(backend, tested));
  for (const other of others) expect(other.every((value, i) => value === one[i])).toBe(true);
  run(fma, tested);
}

const layout = fc.constantFrom<Layout>("rows", "columns", "spread", "shared", "backwards");

describe("matrix product", { timeout: 60_000 }, () => {
  it("agrees with the definition, for any sizes, strides and batches", () => {
    fc.assert(
      fc.property(
        fc.record({
          sizes: fc.oneof(
            fc.tuple(
              fc.integer({ min: 1, max: 40 }),
              fc.integer({ min: 1, max: 40 }),
              fc.integer({ min: 1, max: 40 }),
            ),
            fc.tuple(
              fc.constantFrom(4, 64, 70, 131),
              fc.constantFrom(8, 12, 64, 300),
              fc.constantFrom(4, 33, 64),
            ),
          ),
          batch: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
          layouts: fc.tuple(layout, layout),
          fused: fc.boolean(),
          extra: fc.constantFrom(0, 0, 5),
        }),
        check,
      ),
      { numRuns: 80, seed: 7 },
    );
  });

  it.each([
    // Terms in several steps, wide outputs in several blocks, rows that are far apart, a vector.
    {
      sizes: [20, 24, 1100],
      batch: undefined,
      layouts: ["rows", "columns"],
      fused: true,
      extra: 0,
    },
    { sizes: [20, 24, 1100], batch: 2, layouts: ["columns", "rows"], fused: false, extra: 3 },
    // So many terms, or so few elements, that they are cut: in two products of parts, then their sum.
    { sizes: [64, 64, 256], batch: undefined, layouts: ["columns", "rows"], fused: true, extra: 0 },
    { sizes: [9, 12, 8200], batch: 2, layouts: ["rows", "spread"], fused: true, extra: 2 },
    {
      sizes: [70, 20, 9000],
      batch: undefined,
      layouts: ["columns", "rows"],
      fused: false,
      extra: 0,
    },
    { sizes: [8, 1300, 20], batch: undefined, layouts: ["rows", "rows"], fused: false, extra: 0 },
    { sizes: [33, 1300, 9], batch: undefined, layouts: ["rows", "rows"], fused: true, extra: 0 },
    {
      sizes: [700, 9, 17],
      batch: undefined,
      layouts: ["columns", "shared"],
      fused: true,
      extra: 1,
    },
    { sizes: [1, 700, 90], batch: undefined, layouts: ["rows", "columns"], fused: true, extra: 0 },
    { sizes: [1, 700, 90], batch: 2, layouts: ["rows", "rows"], fused: false, extra: 0 },
    { sizes: [300, 1, 200], batch: undefined, layouts: ["columns", "rows"], fused: true, extra: 0 },
  ] satisfies Case[])("$sizes, batch $batch, $layouts, fused: $fused", check);
});
