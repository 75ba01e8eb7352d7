import { expect, test } from "vitest";
import { ArgumentError, checkOptions } from "../src/index.ts";

interface Options {
  readonly eps?: number;
  readonly weightDecay?: number;
}

const check = (options: unknown) =>
  checkOptions("Layer", options as Options, { eps: true, weightDecay: true });

test("options that are known pass", () => {
  for (const options of [{}, { eps: 1 }, { weightDecay: undefined, eps: 2 }]) {
    expect(check(options)).toBe(options);
  }
});

test("others are refused, and what is no object", () => {
  const message = "Layer: options must be among eps, weightDecay, got ";
  expect(() => check({ eps: 1, weight_decay: 0 })).toThrow(ArgumentError);
  expect(() => check({ eps: 1, weight_decay: 0 })).toThrow(`${message}weight_decay.`);
  for (const value of [0.1, "sum", true, null]) {
    expect(() => check(value)).toThrow(`${message}${value}.`);
  }
});
