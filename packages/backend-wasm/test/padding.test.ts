import type { LoopKernel } from "@gradloom/engine";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writtenKernel } from "../src/loop-nest.ts";
import { padLoads } from "../src/padding.ts";
import { backends } from "./backends.ts";
import { runOn, sameBits } from "./compare.ts";
import type { RandomProgram } from "./kernel-builder.ts";
import { createContent } from "./random-content.ts";

interface Windows {
  readonly channels: number;
  readonly pictures: number;
  readonly size: readonly [number, number];
  readonly taps: readonly [number, number];
  readonly stride: number;
  readonly padding: number;
  /** Whether the picture has an infinity: what is not there, times that, is NaN. */
  readonly isInfinite?: boolean;
}

const outputsOf = ({ size, taps, stride, padding }: Windows): number[] =>
  size.map((side, i) => Math.max(1, Math.floor((side + 2 * padding - taps[i]) / stride) + 1));

/** Channel by channel: windows of pictures times weights; or the gradient of the weights, a sum over all pictures. */
function depthwise(windows: Windows, isGradient: boolean): LoopKernel {
  const { channels, pictures, size, taps, stride, padding } = windows;
  const [height, width] = size;
  const [rows, columns] = outputsOf(windows);
  // Loops: picture, channel, row, column, tap; strides of a picture, of a result, of weights.
  const loops = [pictures, channels, rows, columns, ...taps];
  const x = [channels * height * width, height * width, stride * width, stride, width, 1];
  const y = [channels * rows * columns, rows * columns, columns, 1, 0, 0];
  const weight = [0, taps[0] * taps[1], 0, 0, taps[1], 1];
  const order = isGradient ? [1, 4, 5, 0, 2, 3] : [0, 1, 2, 3, 4, 5];
  const numOuter = isGradient ? 3 : 4;
  const put = (list: readonly number[]): number[] => order.map((loop) => list[loop]);
  const guard = (loop: number, size: number) => {
    const strides = new Array<number>(6).fill(0);
    [strides[loop], strides[loop + 2]] = [stride, 1];
    return { offset: -padding, strides: put(strides), size };
  };
  const sizes = put(loops);
  return {
    kind: "loop",
    buffers: [0, 1, 2],
    scalars: [],
    label: [],
    scratch: [],
    outer: sizes.slice(0, numOuter),
    stages: [
      {
        inner: sizes.slice(numOuter),
        code: [
          {
            op: "load",
            dtype: "float32",
            access: { buffer: 0, offset: -padding * (width + 1), strides: put(x) },
            guards: [guard(2, height), guard(3, width)],
          },
          {
            op: "load",
            dtype: "float32",
            access: { buffer: 1, offset: 0, strides: put(isGradient ? y : weight) },
            guards: [],
          },
          { op: "mul", dtype: "float32", args: [0, 1] },
        ],
        stores: [],
        results: [{ value: 2, reduce: "sum" }],
      },
      {
        inner: [],
        code: [{ op: "result", dtype: "float32", stage: 0, result: 0 }],
        stores: [
          {
            value: 0,
            access: {
              buffer: 2,
              offset: 0,
              strides: put(isGradient ? weight : y).slice(0, numOuter),
            },
          },
        ],
        results: [],
      },
    ],
  };
}

function programOf(windows: Windows, isGradient: boolean): RandomProgram {
  const { channels, pictures, size, taps, isInfinite } = windows;
  const [rows, columns] = outputsOf(windows);
  const picture = pictures * channels * size[0] * size[1];
  const results = pictures * channels * rows * columns;
  const weights = channels * taps[0] * taps[1];
  const lengths = isGradient ? [picture, results, weights] : [picture, weights, results];
  const contents = lengths.map((length, i) =>
    createContent("float32", length, { kind: i === 2 ? "zero" : "coarse", seed: 1 + i }, i),
  );
  if (isInfinite) contents[1][0] = Number.POSITIVE_INFINITY;
  return {
    program: {
      kernels: [depthwise(windows, isGradient)],
      barriers: [true],
      buffers: lengths.map((length) => ({ dtype: "float32", length, arenaOffset: undefined })),
      scalars: [],
      arenaBytes: 0,
    },
    contents,
    scalars: [],
  };
}

describe("copies of pictures with what is around them", () => {
  const { oracle, one, two } = backends();
  const windows = {
    channels: 16,
    pictures: 2,
    size: [14, 13],
    taps: [5, 3],
    stride: 1,
    padding: 1,
  } as const;
  const pad = (given: Windows, isGradient = false) => {
    const { outer, stages } = writtenKernel(depthwise(given, isGradient));
    return padLoads({ outer, stages }, 3);
  };

  it("are one for each picture, aligned, and are read without guards", () => {
    const { stages, padding } = pad(windows);
    expect(padding?.prefix).toBe(2);
    expect(padding?.copies).toHaveLength(1);
    // Three elements before each row's first one, so that this is the fourth; 13 + 1 behind it, then up to a vector's end.
    expect(padding?.copies[0]).toMatchObject({ inner: [14, 13], length: 16 * 20, outside: 0 });
    const [load] = stages[0].code;
    expect(load).toMatchObject({
      access: { buffer: 3, offset: 3, strides: [0, 0, 20, 1, 20, 1] },
      guards: [],
    });
  });

  it("are of all pictures where a sum goes over them", () => {
    const { padding } = pad(windows, true);
    expect(padding?.prefix).toBe(1);
    expect(padding?.copies[0]).toMatchObject({ inner: [2, 14, 13], length: 2 * 16 * 20 });
  });

  it("are not made where edges are rare, of few pictures, or of what a cache does not hold", () => {
    expect(pad({ ...windows, size: [200, 200] }).padding).toBeUndefined();
    expect(pad({ ...windows, pictures: 1, channels: 15 }).padding).toBeUndefined();
    expect(pad({ ...windows, pictures: 700 }, true).padding).toBeUndefined();
  });

  it("give what guards give, at all edges, on any number of threads", () => {
    const side = fc.integer({ min: 1, max: 21 });
    const tap = fc.integer({ min: 1, max: 9 });
    const arbitrary = fc.record({
      channels: fc.integer({ min: 8, max: 40 }),
      pictures: fc.integer({ min: 1, max: 4 }),
      size: fc.tuple(side, side),
      taps: fc.tuple(tap, tap),
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.integer({ min: 0, max: 4 }),
      isInfinite: fc.boolean(),
    });
    let copied = 0;
    fc.assert(
      fc.property(arbitrary, fc.boolean(), (given, isGradient) => {
        if (pad(given, isGradient).padding) copied++;
        const program = programOf(given, isGradient);
        const got = runOn(one, program);
        expect(got[2]).toEqual(runOn(oracle, program)[2]);
        expect(sameBits(got, runOn(two, program))).toBe(true);
      }),
      { numRuns: 80, seed: 7 },
    );
    expect(copied).toBeGreaterThan(30);
  }, 60_000);
});
