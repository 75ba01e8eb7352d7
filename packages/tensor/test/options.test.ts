import { expect, test } from "vitest";
import { ArgumentError, checkOptions, tensor } from "../src/index.ts";

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

test("reductions do not ignore what stands in PyTorch's place", () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const wrong: object = { keepDim: true };
  expect(() => x.sum(1, wrong)).toThrow("sum: options must be among keepdim, got keepDim.");
  for (const name of ["sum", "prod", "mean", "max", "argmax", "amin", "any"] as const) {
    expect(() => Reflect.apply(x[name], x, [1, true])).toThrow(/options must be among keepdim/);
  }
  for (const name of ["std", "var", "norm"] as const) {
    expect(() => Reflect.apply(x[name], x, [1, false])).toThrow(
      /options must be among .*keepdim, got false/,
    );
  }
  expect(x.std(1, { keepdim: true }).shape).toEqual([2, 1]);
  expect(x.norm(1, { p: 1, keepdim: true }).arraySync()).toEqual([[3], [7]]);
});
