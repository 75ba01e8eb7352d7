import { JsBackend } from "@gradloom/backend-js";
import {
  type Backend,
  IndexError,
  type Instruction,
  philox,
  type ScatterKernel,
} from "@gradloom/engine";
import { afterAll, describe, expect, it } from "vitest";
import { WasmBackend } from "../src/index.ts";
import { planScatter } from "../src/scatter-kernel.ts";
import { runOn } from "./compare.ts";
import type { RandomProgram } from "./kernel-builder.ts";

const one = new WasmBackend({ threads: 1 });
const two = new WasmBackend({ threads: 2 });
afterAll(() => {
  one.dispose();
  two.dispose();
});

/** Adds up `points` rows of `width` elements: to which of `size` rows each goes is in a list. */
function addRows(points: number, width: number, size: number): ScatterKernel {
  const load = (buffer: number, strides: readonly number[], dtype: "float32" | "int32") =>
    ({ op: "load", dtype, access: { buffer, offset: 0, strides }, guards: [] }) as const;
  const code: Instruction[] = [
    load(0, [0, 1], "int32"),
    { op: "check", dtype: "int32", arg: 0, size, name: 0 },
    load(1, [1, width], "float32"),
  ];
  return {
    kind: "scatter",
    buffers: [0, 1, 2],
    scalars: [],
    label: [],
    dtype: "float32",
    combine: "sum",
    outer: [width],
    size,
    stage: { inner: [points], code, stores: [], results: [] },
    index: 1,
    value: 2,
    target: { buffer: 2, offset: 0, strides: [1, width] },
  };
}

function programOf(kernel: ScatterKernel, limit = kernel.size): RandomProgram {
  const [points] = kernel.stage.inner;
  const [width] = kernel.outer;
  // Sums of such numbers are not exact: their order shows.
  const values = Float32Array.from({ length: points * width }, (_, i) => {
    return philox(i, 1, 2, 0, 0) / 2 ** 25;
  });
  const indices = Int32Array.from({ length: points }, (_, i) => {
    return (philox(i, 0, 3, 0, 0) >>> 1) % Math.max(limit, 1);
  });
  const contents = [indices, values, new Float32Array(kernel.size * width).fill(7)];
  const buffers = contents.map(({ length }, i) => ({
    dtype: i === 0 ? ("int32" as const) : ("float32" as const),
    length,
    arenaOffset: undefined,
  }));
  return {
    program: { kernels: [kernel], barriers: [false], buffers, scalars: [], arenaBytes: 0 },
    contents,
    scalars: [],
  };
}

function sums(backend: Backend, random: RandomProgram): Float32Array {
  return runOn(backend, random)[2] as Float32Array;
}

describe("scatter kernels", () => {
  it.each([
    // Threads share pieces of rows, positions, or nothing.
    ["pieces", 500, 256, 40],
    ["positions", 4000, 37, 101],
    ["nothing", 20_000, 1, 33],
  ] as const)("sum in the same order, whether threads share %s", (shared, points, width, size) => {
    const kernel = addRows(points, width, size);
    const { loops, range } = planScatter(kernel, 2);
    expect([loops.outer.length > 0, range !== undefined]).toEqual(
      { pieces: [true, false], positions: [true, true], nothing: [false, false] }[shared],
    );
    const random = programOf(kernel);
    const got = sums(one, random);
    // Threads start once there has been some work.
    for (let i = 0; i < 5; i++) expect(sums(two, random)).toEqual(got);
    const expected = new Float32Array(size * width);
    const [indices, values] = random.contents as [Int32Array, Float32Array];
    for (let i = 0; i < values.length; i++) {
      expected[indices[Math.floor(i / width)] * width + (i % width)] += values[i];
    }
    expect(got).toEqual(expected);
  });

  it("look at the indices even where there are no elements, and write nothing", () => {
    const random = programOf(addRows(3, 5, 0));
    for (const backend of [new JsBackend(), one, two]) {
      expect(() => sums(backend, random)).toThrow(IndexError);
    }
    for (const backend of [new JsBackend(), one, two]) {
      expect([...sums(backend, programOf(addRows(0, 5, 2)))]).toEqual(new Array(10).fill(0));
    }
  });
});
