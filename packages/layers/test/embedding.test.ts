import { DTypeError, IndexError, manualSeed, tensor, zeros } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { Embedding } from "../src/index.ts";

const ids = (data: number | number[] | number[][]) => tensor(data, { dtype: "int32" });

describe("Embedding", () => {
  test("gives a vector for each index, and trains those that were used", () => {
    const layer = new Embedding(3, 2);
    layer.loadStateDict({
      weight: tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    });
    const y = layer.forward(ids([[2, 0, 2]]));
    expect(y.arraySync()).toEqual([
      [
        [5, 6],
        [1, 2],
        [5, 6],
      ],
    ]);
    y.mul(tensor([1, 10]))
      .sum()
      .backward();
    expect(layer.weight.grad?.arraySync()).toEqual([
      [1, 10],
      [0, 0],
      [2, 20],
    ]);
    expect(Object.keys(layer.stateDict())).toEqual(["weight"]);
  });

  test("starts normal, fixed by the seed", () => {
    manualSeed(3);
    const { weight } = new Embedding(100, 100);
    const values = [...weight.dataSync()];
    const moment = (power: number) => values.reduce((sum, v) => sum + v ** power, 0) / 1e4;
    expect(Math.abs(moment(1))).toBeLessThan(0.03);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.05);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.3);
    manualSeed(3);
    expect([...new Embedding(100, 100).weight.dataSync()]).toEqual(values);
  });

  test("padding starts as 0 and stays", () => {
    for (const paddingIdx of [1, -2]) {
      const layer = new Embedding(3, 2, { paddingIdx });
      const rows = layer.weight.arraySync() as number[][];
      expect(rows.map((row) => row.every((value) => value === 0))).toEqual([false, true, false]);
      layer
        .forward(ids([1, 1, 0]))
        .sum()
        .backward();
      expect(layer.weight.grad?.arraySync()).toEqual([
        [1, 1],
        [0, 0],
        [0, 0],
      ]);
    }
  });

  test("says what it is, and refuses what does not fit", () => {
    expect(new Embedding(3, 2, { paddingIdx: null as never }).paddingIdx).toBeUndefined();
    expect(new Embedding(3, 2).describe()).toBe("3, 2");
    expect(new Embedding(3, 2, { paddingIdx: 0 }).describe()).toBe("3, 2, paddingIdx=0");
    expect(() => new Embedding(0, 2)).toThrow(
      "Embedding: numEmbeddings must be a positive integer",
    );
    expect(() => new Embedding(3, 2, { paddingIdx: 3 })).toThrow(
      "Embedding: paddingIdx must be an integer in [-3, 2], got 3.",
    );
    expect(() => new Embedding(3, 2).forward(ids([3]))).toThrow(IndexError);
    expect(() => new Embedding(3, 2).forward(zeros([1]))).toThrow(DTypeError);
  });
});
