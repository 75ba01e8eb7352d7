import { ArgumentError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { ones, tensor } from "../../src/create.ts";
import { Generator } from "../../src/generator.ts";

test("drops the right share and scales the rest, in the gradient as in the value", () => {
  const x = ones([10_000]).requiresGrad_();
  const y = x.dropout(0.25, { generator: new Generator(1) });
  y.sum().backward();
  const values = y.dataSync();
  const dropped = values.filter((value) => value === 0).length;
  expect(dropped / 10_000).toBeCloseTo(0.25, 1);
  expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
  expect(x.grad?.dataSync()).toEqual(values);
});

test("does nothing outside training, and all at 1", () => {
  const x = tensor([1, 2]);
  expect(x.dropout(0.5, { training: false })).toBe(x);
  expect(x.dropout(0)).toBe(x);
  expect(x.dropout(1).arraySync()).toEqual([0, 0]);
});

test("wants a probability", () => {
  expect(() => tensor([1]).dropout(1.5)).toThrow(ArgumentError);
  expect(() => tensor([1]).dropout(1.5)).toThrow("dropout: p must be in [0, 1], got 1.5.");
});
