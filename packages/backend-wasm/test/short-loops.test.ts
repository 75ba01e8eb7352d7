import type { Guard, LoopKernel, ReduceOp } from "@gradloom/engine";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collapseLoops, writtenKernel } from "../src/loop-nest.ts";
import { writeOutPairs, writeOutPoints, writeOutRows } from "../src/short-loops.ts";
import { backends } from "./backends.ts";
import { runOn, sameBits } from "./compare.ts";
import type { RandomProgram } from "./kernel-builder.ts";
import { createContent } from "./random-content.ts";

interface Windows {
  readonly channels: number;
  readonly size: readonly [number, number];
  readonly taps: readonly [number, number];
  readonly stride: number;
  readonly padding: number;
  readonly reduce: ReduceOp;
  /** Whether the picture has an infinity: what is not there, times that, is NaN. */
  readonly isInfinite?: boolean;
}

/** For each position of pictures, by phases of a stride: what `reduce` makes of weighted values that reach it. */
function gather({ channels, size, taps, stride, padding, reduce }: Windows): LoopKernel {
  const [height, width] = size;
  const [rows, columns] = [stride * height, stride * width];
  const [th, tw] = taps.map((tap) => Math.ceil(tap / stride));
  const isPosition = reduce === "argmax";
  return {
    kind: "loop",
    buffers: [0, 1, 2],
    scalars: [],
    label: [],
    scratch: [],
    // channel, row, its phase, column, its phase; then the taps.
    outer: [channels, height, stride, width, stride],
    stages: [
      {
        inner: [th, tw],
        code: [
          {
            op: "load",
            dtype: "float32",
            access: {
              buffer: 0,
              offset: padding * (width + 1),
              strides: [height * width, width, 0, 1, 0, -width, -1],
            },
            guards: [
              { offset: padding, strides: [0, 1, 0, 0, 0, -1, 0], size: height },
              { offset: padding, strides: [0, 0, 0, 1, 0, 0, -1], size: width },
            ],
            ...(reduce !== "sum" && { outside: -Infinity }),
          },
          {
            op: "load",
            dtype: "float32",
            access: {
              buffer: 1,
              offset: 0,
              strides: [0, 0, taps[1], 0, 1, stride * taps[1], stride],
            },
            guards: [
              { offset: 0, strides: [0, 0, 1, 0, 0, stride, 0], size: taps[0] },
              { offset: 0, strides: [0, 0, 0, 0, 1, 0, stride], size: taps[1] },
            ],
          },
          { op: reduce === "sum" ? "mul" : "add", dtype: "float32", args: [0, 1] },
        ],
        stores: [],
        results: [{ value: 2, reduce }],
      },
      {
        inner: [],
        code: [{ op: "result", dtype: isPosition ? "int32" : "float32", stage: 0, result: 0 }],
        stores: [
          {
            value: 0,
            access: {
              buffer: 2,
              offset: 0,
              strides: [rows * columns, stride * columns, columns, stride, 1],
            },
          },
        ],
        results: [],
      },
    ],
  };
}

function programOf(windows: Windows): RandomProgram {
  const { channels, size, taps, stride, reduce, isInfinite } = windows;
  const picture = channels * size[0] * size[1];
  const lengths = [picture, taps[0] * taps[1], picture * stride * stride];
  const buffers = lengths.map((length, i) => ({
    dtype: i === 2 && reduce === "argmax" ? ("int32" as const) : ("float32" as const),
    length,
    arenaOffset: undefined,
  }));
  const contents = buffers.map(({ dtype, length }, i) =>
    createContent(dtype, length, { kind: i === 2 ? "zero" : "coarse", seed: 1 + i }, i),
  );
  if (isInfinite) contents[0][Math.floor(picture / 2)] = Number.POSITIVE_INFINITY;
  return {
    program: {
      kernels: [gather(windows)],
      barriers: [true],
      buffers,
      scalars: [],
      arenaBytes: 0,
    },
    contents,
    scalars: [],
  };
}

describe("short loops", () => {
  const { oracle, one, two } = backends();

  it("are written out, a piece of code for each phase and tap", () => {
    const windows = {
      channels: 32,
      size: [8, 9],
      taps: [3, 3],
      padding: 1,
      reduce: "sum",
    } as const;
    const rows = writeOutRows(writtenKernel(gather({ ...windows, stride: 2 })), 0, () => true);
    const { outer, stages } = writeOutPoints(rows, 0);
    expect(outer).toEqual([32, 8, 9]);
    expect(stages[0].inner).toEqual([]);
    // Of each axis, one phase has two taps, the other one: the second is 0 there, which is not nothing where it meets an infinity.
    expect(stages[0].results.map(({ terms }) => terms.length)).toEqual([4, 4, 4, 4]);
    const weights = stages[0].code.filter((one) => one.op === "load" && one.access.buffer === 1);
    expect(weights).toHaveLength(9);
    expect(stages[1].stores.map(({ access }) => access.offset)).toEqual([0, 1, 18, 19]);
  });

  it("stay one loop of many taps, in which several rows share what they read", () => {
    const kernel = writtenKernel(
      gather({ channels: 32, size: [14, 9], taps: [5, 5], stride: 1, padding: 0, reduce: "sum" }),
    );
    const { outer, stages } = collapseLoops(kernel.outer, kernel.stages);
    const code = stages[0].code.map((one) => (one.op === "load" ? { ...one, guards: [] } : one));
    const written = writeOutPoints(
      { outer, stages: [{ ...stages[0], code }, ...stages.slice(1)] },
      0,
    );
    expect(written.outer).toEqual([32, 2, 9]);
    const [stage] = written.stages;
    expect(stage.inner).toEqual([5]);
    expect(stage.results.map(({ terms }) => terms.length)).toEqual([5, 5, 5, 5, 5, 5, 5]);
    const offsets = (buffer: number): number[] =>
      stage.code.flatMap((one) =>
        one.op === "load" && one.access.buffer === buffer ? [one.access.offset] : [],
      );
    expect(offsets(1)).toHaveLength(5);
    expect(offsets(0)).toEqual([-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6].map((row) => 9 * row));
  });

  it("of few taps, in near rows, are sums of partial sums of four rows that share what they read", () => {
    const kernel = writtenKernel(
      gather({ channels: 16, size: [12, 20], taps: [3, 3], stride: 1, padding: 1, reduce: "sum" }),
    );
    const { outer, stages } = collapseLoops(kernel.outer, kernel.stages);
    const written = writeOutPoints({ outer, stages }, 0);
    expect(written.outer).toEqual([16, 3, 20]);
    const [stage] = written.stages;
    expect(stage.results.map(({ terms }) => terms.length)).toEqual([3, 3, 3, 3]);
    const rows = stage.code.filter((one) => one.op === "load" && one.access.buffer === 0);
    expect(rows).toHaveLength(6 * 3);
  });

  it("along rows, as the taps of a weight's gradient, take two rows at once", () => {
    const size = [8, 20];
    const load = (buffer: number, strides: number[], guards: Guard[]) =>
      ({
        op: "load",
        dtype: "float32",
        access: { buffer, offset: guards.length > 0 ? -21 : 0, strides },
        guards,
      }) as const;
    const kernel: LoopKernel = {
      ...gather({
        channels: 32,
        size: [8, 20],
        taps: [3, 3],
        stride: 1,
        padding: 1,
        reduce: "sum",
      }),
      // channel, the taps; then the rows and columns of the picture.
      outer: [32, 3, 3],
      stages: [
        {
          inner: size,
          code: [
            load(0, [160, 0, 0, 20, 1], []),
            load(
              1,
              [160, 20, 1, 20, 1],
              [
                { offset: -1, strides: [0, 1, 0, 1, 0], size: 8 },
                { offset: -1, strides: [0, 0, 1, 0, 1], size: 20 },
              ],
            ),
            { op: "mul", dtype: "float32", args: [0, 1] },
          ],
          stores: [],
          results: [{ value: 2, reduce: "sum" }],
        },
      ],
    };
    const taps = writeOutRows(writtenKernel(kernel), 0, () => false);
    expect(taps.outer).toEqual([32]);
    const { inner, code, results } = writeOutPairs(taps.stages[0], 1);
    expect(inner).toEqual([4, 20]);
    expect(results.map(({ terms }) => terms.length)).toEqual(new Array(9).fill(2));
    expect(code.filter(({ op }) => op === "load")).toHaveLength(2 + 4 * 3);
  });

  it.each<ReduceOp>(["sum", "max", "argmax"])("give what loops give in rows of %s", (reduce) => {
    for (const width of [17, 20, 40, 64, 90, 260]) {
      const program = programOf({
        channels: 16,
        size: [12, width],
        taps: [3, 3],
        stride: 1,
        padding: 1,
        reduce,
        isInfinite: true,
      });
      const got = runOn(one, program);
      expect(got[2]).toEqual(runOn(oracle, program)[2]);
      expect(sameBits(got, runOn(two, program))).toBe(true);
    }
  });

  it("give what loops give, at all edges, on any number of threads", () => {
    const side = fc.integer({ min: 1, max: 21 });
    const tap = fc.integer({ min: 1, max: 5 });
    const windows = fc.record({
      channels: fc.integer({ min: 1, max: 20 }),
      size: fc.tuple(side, side),
      taps: fc.tuple(tap, tap),
      stride: fc.integer({ min: 1, max: 4 }),
      padding: fc.integer({ min: 0, max: 3 }),
      reduce: fc.constantFrom<ReduceOp>("sum", "max", "argmax"),
      isInfinite: fc.boolean(),
    });
    fc.assert(
      fc.property(windows, (given) => {
        const program = programOf(given);
        const got = runOn(one, program);
        expect(got[2]).toEqual(runOn(oracle, program)[2]);
        expect(sameBits(got, runOn(two, program))).toBe(true);
      }),
      { numRuns: 60, seed: 5 },
    );
  }, 60_000);
});
