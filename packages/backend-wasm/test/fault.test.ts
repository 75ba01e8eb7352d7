import { IndexError, type Instruction, type LoopKernel, type Program } from "@gradloom/engine";
import { afterAll, describe, expect, it } from "vitest";
import { WasmBackend } from "../src/index.ts";

/** Copies elements that `indices` names, from a table of so many. */
function lookUp(length: number, size: number, buffers: readonly number[]): LoopKernel {
  const code: Instruction[] = [
    { op: "load", dtype: "int32", access: { buffer: 0, offset: 0, strides: [1] }, guards: [] },
    { op: "check", dtype: "int32", arg: 0, size, name: 0 },
    {
      op: "load",
      dtype: "float32",
      access: { buffer: 1, offset: 0, strides: [0] },
      guards: [],
      index: { value: 1, stride: 1 },
    },
  ];
  const stores = [{ value: 2, access: { buffer: 2, offset: 0, strides: [1] } }];
  const stages = [{ inner: [], code, stores, results: [] }];
  return { kind: "loop", buffers, scalars: [], label: [], outer: [length], stages, scratch: [] };
}

/** Looks up twice, the second time in what was found the first time. */
function lookUpTwice(length: number, size: number): Program {
  const spec = (dtype: "int32" | "float32", elements: number) => ({
    dtype,
    length: elements,
    arenaOffset: undefined,
  });
  return {
    kernels: [lookUp(length, size, [0, 1, 2]), lookUp(length, length, [0, 2, 3])],
    barriers: [false, true],
    buffers: [
      spec("int32", length),
      spec("float32", size),
      spec("float32", length),
      spec("float32", length),
    ],
    scalars: [],
    arenaBytes: 0,
  };
}

const backends = [1, 2].map((threads) => new WasmBackend({ threads }));
afterAll(() => {
  for (const backend of backends) backend.dispose();
});

describe.each(backends)("an index out of range, on $numThreads threads,", (backend) => {
  const length = 50_001;
  const run = (indices: Int32Array, size: number): Float32Array => {
    const addresses = [indices, Float32Array.from({ length: size }, (_, i) => i * i)].map(
      (data) => {
        const address = backend.allocate(data.byteLength + 16);
        backend.write(address, data);
        return address;
      },
    );
    for (let i = 0; i < 2; i++) addresses.push(backend.allocate(indices.byteLength));
    backend.write(addresses[3], new Float32Array(indices.length).fill(-1));
    const executable = backend.compile(lookUpTwice(indices.length, size));
    try {
      // Threads start once there has been some work.
      for (let i = 0; i < 5; i++) executable.run(addresses, []);
    } finally {
      const last = backend.readSync(addresses[3], "float32", indices.length) as Float32Array;
      results.push(last);
      for (const address of addresses) backend.free(address);
    }
    return results[results.length - 1];
  };
  const results: Float32Array[] = [];
  const good = Int32Array.from({ length }, (_, i) => (i * 7) % 1000);

  it.each([-1, 1000, -(2 ** 31), 2 ** 31 - 1])(
    "%i, ends the run before what depends on it",
    (bad) => {
      for (const at of [0, 20_002, length - 1]) {
        const indices = good.slice();
        indices[at] = bad;
        expect(() => run(indices, 1000)).toThrow(IndexError);
        expect(() => run(indices, 1000)).toThrow(`must be in 0 … 999, got ${bad}.`);
        expect(new Set(results[results.length - 1])).toEqual(new Set([-1]));
      }
      expect(run(good, 1000)[2]).toBe(Math.fround(good[14] ** 2));
    },
  );

  it("into nothing, reads nothing", () => {
    expect(() => run(Int32Array.of(3), 0)).toThrow("there are no positions, got 3.");
  });
});
