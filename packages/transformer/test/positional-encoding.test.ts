import { ArgumentError, memoryStats, ShapeError, tensor, zeros } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { PositionalEncoding } from "../src/index.ts";

describe("PositionalEncoding", () => {
  test.each([4, 5])("adds the paper's sinusoids to %i features", (d) => {
    const positions = new PositionalEncoding(d);
    const y = positions.forward(zeros([1, 50, d])).arraySync() as number[][][];
    for (const t of [0, 1, 7, 49]) {
      for (let j = 0; j < d; j++) {
        const angle = t / 10000 ** ((j - (j % 2)) / d);
        expect(y[0][t][j]).toBeCloseTo(j % 2 === 0 ? Math.sin(angle) : Math.cos(angle), 6);
      }
    }
    expect(positions.stateDict()).toEqual({});
  });

  test("begins anywhere, without compiling again", () => {
    const positions = new PositionalEncoding(6);
    const table = positions.forward(zeros([9, 6]));
    const from = (start: number) => positions.forward(zeros([2, 6]), start);
    expect(from(0).allclose(table.narrow(0, 0, 2))).toBe(true);
    const { compiledPlans } = memoryStats();
    const found = [3, 5, 7].map((start) => from(start).dataSync());
    expect(memoryStats().compiledPlans).toBeLessThanOrEqual(compiledPlans + 1);
    expect(found[2]).toEqual(table.narrow(0, 7, 2).dataSync());
    const start = tensor(7, { dtype: "int32" });
    expect(positions.forward(zeros([2, 6]), start).dataSync()).toEqual(found[2]);
  });

  test("is exact at large positions", () => {
    const y = new PositionalEncoding(2).forward(zeros([5000, 2])).arraySync() as number[][];
    expect(y[4999][0]).toBeCloseTo(Math.sin(4999), 6);
  });

  test("says what does not fit", () => {
    const positions = new PositionalEncoding(4, { maxLen: 3 });
    expect(() => positions.forward(zeros([4, 4]))).toThrow(ArgumentError);
    expect(() => positions.forward(zeros([2, 4]), 2)).toThrow(
      "PositionalEncoding: positions must be below maxLen = 3, got 2 from 2 on. Make it with a larger maxLen.",
    );
    expect(() => positions.forward(zeros([2, 3]))).toThrow(ShapeError);
    expect(() => new PositionalEncoding(0)).toThrow(ArgumentError);
  });
});
