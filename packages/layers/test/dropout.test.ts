import { ArgumentError, compile, manualSeed, ones, type Tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { Dropout } from "../src/index.ts";

describe("Dropout", () => {
  test("drops the share p, scales the rest, and gives the gradient the same mask", () => {
    manualSeed(5);
    const x = ones([20_000], { requiresGrad: true });
    const y = new Dropout(0.25).forward(x);
    y.sum().backward();
    const values = [...y.dataSync()];
    expect(new Set(values)).toEqual(new Set([0, Math.fround(4 / 3)]));
    const dropped = values.filter((value) => value === 0).length / values.length;
    expect(Math.abs(dropped - 0.25)).toBeLessThan(0.01);
    expect([...x.grad!.dataSync()]).toEqual(values);
  });

  test("draws anew each time, and the same for the same seed", () => {
    const layer = new Dropout();
    const x = ones([64]);
    const draw = () => layer.forward(x).arraySync();
    manualSeed(1);
    const [first, second] = [draw(), draw()];
    expect(second).not.toEqual(first);
    manualSeed(1);
    expect(draw()).toEqual(first);
  });

  test("compiled too, does what its mode says now", () => {
    const layer = new Dropout();
    const run = compile((x: Tensor) => layer.forward(x));
    const x = ones([64]);
    const isDropping = [true, false, true].map((mode) => {
      layer.train(mode);
      return run(x).eq(0).any().itemSync() === 1;
    });
    expect(isDropping).toEqual([true, false, true]);
  });

  test("does nothing in evaluation or for p = 0, and everything for p = 1", () => {
    const x = ones([4]);
    expect(new Dropout(0.9).eval().forward(x)).toBe(x);
    expect(new Dropout(0).forward(x)).toBe(x);
    expect(new Dropout(1).forward(x).arraySync()).toEqual([0, 0, 0, 0]);
  });

  test("refuses what is not a probability", () => {
    expect(() => new Dropout(1.5)).toThrow(ArgumentError);
    expect(() => new Dropout(1.5)).toThrow("Dropout: p must be in [0, 1], got 1.5.");
    expect(() => new Dropout(Number.NaN)).toThrow("got NaN");
  });
});
