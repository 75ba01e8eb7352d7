import { ArgumentError, DTypeError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { ones, tensor } from "../src/create.ts";
import * as ops from "../src/ops/index.ts";
import { promote, requireFloat, resultType } from "../src/promote.ts";

describe("promote", () => {
  test.each([
    ["bool", "uint8", "uint8"],
    ["uint8", "int32", "int32"],
    ["int32", "float32", "float32"],
    ["float64", "float32", "float64"],
    ["bool", "bool", "bool"],
  ] as const)("%s and %s give %s", (a, b, result) => {
    expect(promote(a, b)).toBe(result);
    expect(promote(b, a)).toBe(result);
  });
});

describe("resultType", () => {
  const vector = (dtype: "bool" | "uint8" | "int32" | "float32" | "float64") =>
    ones([2], { dtype });
  const scalar = (dtype: "bool" | "uint8" | "int32" | "float32" | "float64") => ones([], { dtype });

  test("a number adapts, unless its category is wider", () => {
    expect(resultType("add", vector("int32"), 3)).toBe("int32");
    expect(resultType("add", vector("uint8"), 3)).toBe("uint8");
    expect(resultType("add", vector("int32"), 0.5)).toBe("float32");
    expect(resultType("add", vector("int32"), Number.NaN)).toBe("float32");
    expect(resultType("add", vector("bool"), 2)).toBe("int32");
    expect(resultType("add", vector("float64"), 0.5)).toBe("float64");
    expect(resultType("add", vector("float32"), true)).toBe("float32");
  });

  test("a tensor without axes changes the result only if its category is wider", () => {
    expect(resultType("add", vector("float32"), scalar("float64"))).toBe("float32");
    expect(resultType("add", scalar("float64"), vector("float32"))).toBe("float32");
    expect(resultType("add", vector("int32"), scalar("float64"))).toBe("float64");
    expect(resultType("add", vector("uint8"), scalar("int32"))).toBe("uint8");
    expect(resultType("add", scalar("float32"), scalar("float64"))).toBe("float64");
  });

  test("tensors with axes are promoted", () => {
    expect(resultType("add", vector("float32"), vector("float64"))).toBe("float64");
    expect(resultType("add", vector("uint8"), vector("bool"))).toBe("uint8");
  });
});

test("requireFloat names the operation and the way out", () => {
  const x = tensor([1], { dtype: "int32" });
  expect(() => requireFloat("mean", x)).toThrow(DTypeError);
  expect(() => requireFloat("mean", x)).toThrow(
    'mean: the tensor must be floating, got int32. Convert it with to("float32").',
  );
});

test.each([
  ["a", '"a"'],
  [[1, 2], "an array"],
  [null, "null"],
  [undefined, "undefined"],
  [new Float32Array(2), "a Float32Array"],
])("what is no operand is refused: %o", (operand, shown) => {
  const x = ones([2]);
  const message = `: it must be given a tensor, got ${shown}. Make one with tensor(…).`;
  const wrong = operand as never;
  const functions = { ...ops };
  for (const name of ["add", "sub", "mul", "div", "lt", "maximum", "pow", "matmul"] as const) {
    expect(() => x[name](wrong)).toThrow(ArgumentError);
    expect(() => x[name](wrong)).toThrow(name + message);
    expect(() => functions[name](wrong, x)).toThrow(name + message);
  }
  for (const name of ["relu", "gelu", "tanh", "sum", "mean", "cumsum", "softmax"] as const) {
    expect(() => functions[name](wrong, 0 as never)).toThrow(name + message);
  }
  expect(() => x.gt(0).where(wrong, 1)).toThrow(`where${message}`);
  expect(() => x.gt(0).where(1, wrong)).toThrow(`where${message}`);
  expect(() => x.maskedFill(x.gt(0), wrong)).toThrow(`maskedFill${message}`);
  expect(() => x.maskedFill(wrong, 0)).toThrow(`where: the condition${message}`);
  expect(() => x.linear(wrong)).toThrow(`linear${message}`);
  expect(() => ops.conv2d(wrong, ones([1, 1, 1, 1]))).toThrow(`conv2d${message}`);
  expect(() => ops.embedding(wrong, ones([1, 1]))).toThrow(`embedding${message}`);
  expect(() => ops.cat([x, wrong])).toThrow(`cat${message}`);
});

test("what is no list of tensors cannot be joined", () => {
  const x = ones([2]);
  const rule = "there must be a list of tensors, got ";
  expect(() => ops.cat(x as never)).toThrow(`cat: ${rule}a Tensor.`);
  expect(() => ops.stack([])).toThrow(`stack: ${rule}an empty array.`);
});
