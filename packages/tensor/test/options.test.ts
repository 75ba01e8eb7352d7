import { expect, test } from "vitest";
import {
  ArgumentError,
  arange,
  checkOptions,
  conv1d,
  conv2d,
  convTranspose2d,
  linear,
  ones,
  slice,
  tensor,
} from "../src/index.ts";

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

test("what stands in PyTorch's place is not ignored: a bias, a stride, a step", () => {
  const x = ones([1, 2, 4, 4]);
  const bias = ones([4]);
  const refuse = (fn: (...args: never[]) => unknown, args: readonly unknown[], message: string) =>
    expect(() => Reflect.apply(fn, undefined, args)).toThrow(message);
  refuse(linear, [x, ones([4, 4]), bias], "linear: options must be among bias, got ");
  refuse(slice, [x, 3, 0, 4, 2], "slice: options must be among step, got 2.");
  refuse(arange, [0, 10, 2], "arange: options must be among dtype, requiresGrad, ");
  refuse(arange, [0, 10, 2], ", step, m, got 2.");
  const all = "bias, stride, padding, dilation, groups";
  refuse(conv2d, [x, ones([4, 2, 3, 3]), bias], `conv2d: options must be among ${all}, got `);
  refuse(conv1d, [x.select(0, 0), ones([4, 4, 3]), { strides: 2 }], "got strides.");
  const transposed = `convTranspose2d: options must be among ${all}, outputPadding, got 2.`;
  refuse(convTranspose2d, [x, ones([2, 4, 3, 3]), 2], transposed);
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
