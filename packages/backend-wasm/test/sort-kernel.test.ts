import {
  byteSize,
  createArray,
  type DType,
  philox,
  type SortKernel,
  type TypedArray,
} from "@gradloom/engine";
import { afterAll, describe, expect, it } from "vitest";
import { WasmBackend } from "../src/index.ts";

const backend = new WasmBackend({ threads: 2 });
afterAll(() => backend.dispose());

/** The positions of the first `count` elements of each row, as PyTorch orders them. */
function sort(
  data: TypedArray,
  dtype: DType,
  [rows, size, count]: readonly [number, number, number],
  descending: boolean,
  strides: readonly [number, number] = [size, 1],
): Int32Array {
  const kernel: SortKernel = {
    kind: "sort",
    buffers: [0, 1],
    scalars: [],
    label: [],
    dtype,
    descending,
    outer: [rows],
    size,
    count,
    source: { buffer: 0, offset: 0, strides },
    target: { buffer: 1, offset: 0, strides: [count, 1] },
  };
  const lengths = [data.length, rows * count];
  const executable = backend.compile({
    kernels: [kernel],
    barriers: [false],
    buffers: lengths.map((length, i) => ({
      dtype: i === 0 ? dtype : "int32",
      length,
      arenaOffset: undefined,
    })),
    scalars: [],
    arenaBytes: 0,
  });
  const addresses = [backend.allocate(data.byteLength), backend.allocate(4 * rows * count)];
  backend.write(addresses[0], data);
  executable.run(addresses, []);
  const positions = backend.readSync(addresses[1], "int32", rows * count);
  for (const address of addresses) backend.free(address);
  return positions as Int32Array;
}

describe("sort kernels", () => {
  it("put NaN last, or first if descending, and keep what is equal in order", () => {
    const row = [NaN, 0, -0, Infinity, -1, -Infinity, NaN, -1, 1e-45, -1e-45];
    for (const dtype of ["float32", "float64"] as const) {
      const data = createArray(dtype, row.length);
      data.set(dtype === "float32" ? row : row.map((x) => (Math.abs(x) === 1e-45 ? x / 2 : x)));
      expect([...sort(data, dtype, [1, 10, 10], false)]).toEqual([5, 4, 7, 9, 1, 2, 8, 3, 0, 6]);
      expect([...sort(data, dtype, [1, 10, 10], true)]).toEqual([0, 6, 3, 8, 1, 2, 9, 4, 7, 5]);
    }
  });

  it.each(["float32", "float64", "int32", "uint8", "bool"] satisfies DType[])(
    "sort rows and columns of %s of any length, whole or in part",
    (dtype) => {
      for (const size of [1, 2, 47, 48, 49, 263, 1000, 4099]) {
        const rows = 3;
        const data = createArray(dtype, rows * size);
        // Few values, so that some are equal, and of all sizes.
        const scale = size % 2 === 0 ? 1 : byteSize[dtype] >= 4 ? 1e5 : 1;
        for (let i = 0; i < data.length; i++) {
          const bits = philox(i, size, 5, 0, 0);
          data[i] = dtype === "bool" ? bits & 1 : (bits >> 24) * scale;
        }
        for (const count of new Set([size, Math.ceil(size / 2), Math.min(size, 3)])) {
          for (const descending of [false, true]) {
            const sign = descending ? -1 : 1;
            for (const strides of [[size, 1] as const, [1, rows] as const]) {
              const got = sort(data, dtype, [rows, size, count], descending, strides);
              for (let row = 0; row < rows; row++) {
                const at = (i: number): number => data[row * strides[0] + i * strides[1]];
                const order = Array.from({ length: size }, (_, i) => i);
                order.sort((a, b) => sign * (at(a) - at(b)) || a - b);
                const part = got.subarray(row * count, (row + 1) * count);
                expect([...part]).toEqual(order.slice(0, count));
              }
            }
          }
        }
      }
    },
  );

  it("keep the best of long rows in whichever order they come", () => {
    const size = 70_000;
    const orders = [(i: number) => i, (i: number) => -i, (i: number) => (i * 7919) % size, () => 1];
    for (const order of orders) {
      const data = Int32Array.from({ length: size }, (_, i) => order(i));
      const expected = Array.from(data.keys()).sort((a, b) => data[a] - data[b] || a - b);
      expect([...sort(data, "int32", [1, size, 50], false)]).toEqual(expected.slice(0, 50));
    }
  });
});
