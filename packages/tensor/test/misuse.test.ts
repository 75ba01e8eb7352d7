import { ArgumentError, DTypeError, ShapeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { compile } from "../src/compile.ts";
import { arange, eye, fromTypedArray, full, ones, tensor, zeros } from "../src/create.ts";
import { realize } from "../src/engine.ts";
import { meshgrid } from "../src/ops/joining.ts";
import { batchNorm } from "../src/ops/normalization.ts";
import { bernoulli, rand, randint, randn, randperm } from "../src/random.ts";

const x = ones([2, 3]);

test.each([
  ["tensor", (options: never) => tensor([1], options)],
  ["zeros", (options: never) => zeros([1], options)],
  ["full", (options: never) => full([1], 2, options)],
  ["arange", (options: never) => arange(3, options)],
  ["eye", (options: never) => eye(3, options)],
  ["fromTypedArray", (options: never) => fromTypedArray(new Float32Array(1), [1], options)],
  ["rand", (options: never) => rand([1], options)],
  ["randn", (options: never) => randn([1], options)],
  ["randint", (options: never) => randint(3, [1], options)],
  ["randperm", (options: never) => randperm(3, options)],
])("%s refuses an option that there is not, which would be ignored", (name, make) => {
  expect(() => make({ requires_grad: true } as never)).toThrow(ArgumentError);
  expect(() => make({ requires_grad: true } as never)).toThrow(
    new RegExp(`^${name}: options must be among .*, got requires_grad\\.$`),
  );
});

test("vectors of a grid are a list, and statistics are tensors", () => {
  expect(() => meshgrid(x as never, x as never)).toThrow(
    "meshgrid: there must be a list of tensors, got a Tensor.",
  );
  expect(() => batchNorm(x, { training: true } as never, undefined)).toThrow(
    "batchNorm: it must be given a tensor, got a Object.",
  );
});

test("a number stands for a list of one, and what is neither is refused", () => {
  const of = (value: unknown) => value as never;
  expect(x.reshape(of(6)).shape).toEqual([6]);
  expect(x.layerNorm(of(3)).shape).toEqual([2, 3]);
  for (const wrong of [undefined, null, "a", {}]) {
    for (const name of [
      "reshape",
      "permute",
      "expand",
      "repeat",
      "flip",
      "pad",
      "split",
    ] as const) {
      const run = () => x[name](of(wrong));
      expect(run).toThrow(`${name}: `);
      expect(run).not.toThrow(TypeError);
    }
    expect(() => x.layerNorm(of(wrong))).toThrow(ShapeError);
  }
  expect(() => x.permute(of(1))).toThrow("each of the 2 axes must be named once, got [1]");
});

test("what is no tensor is refused where a tensor is taken on its own", () => {
  const rule = "it must be given a tensor, got an array. Make one with tensor(…).";
  const wrong = [1] as never;
  expect(() => ones([1]).assign(wrong)).toThrow(`assign: ${rule}`);
  expect(() => realize(x, wrong)).toThrow(`realize: ${rule}`);
  expect(() => compile((a) => a)(wrong)).toThrow(`compile: ${rule}`);
  expect(() => bernoulli(wrong)).toThrow(`bernoulli: ${rule}`);
  expect(() => x.gather(wrong, 0)).toThrow(`gather: ${rule}`);
  expect(() => x.take(wrong)).toThrow(`take: ${rule}`);
});

test("booleans have no powers, which shows at once", () => {
  expect(() => tensor([true]).pow(tensor([true]))).toThrow(DTypeError);
  expect(() => tensor([true]).pow(tensor([true]))).toThrow("pow: the tensor must be numeric");
});
