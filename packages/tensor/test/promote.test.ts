import { DTypeError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { ones, tensor } from "../src/create.ts";
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
    expect(resultType(vector("int32"), 3)).toBe("int32");
    expect(resultType(vector("uint8"), 3)).toBe("uint8");
    expect(resultType(vector("int32"), 0.5)).toBe("float32");
    expect(resultType(vector("int32"), Number.NaN)).toBe("float32");
    expect(resultType(vector("bool"), 2)).toBe("int32");
    expect(resultType(vector("float64"), 0.5)).toBe("float64");
    expect(resultType(vector("float32"), true)).toBe("float32");
  });

  test("a tensor without axes changes the result only if its category is wider", () => {
    expect(resultType(vector("float32"), scalar("float64"))).toBe("float32");
    expect(resultType(scalar("float64"), vector("float32"))).toBe("float32");
    expect(resultType(vector("int32"), scalar("float64"))).toBe("float64");
    expect(resultType(vector("uint8"), scalar("int32"))).toBe("uint8");
    expect(resultType(scalar("float32"), scalar("float64"))).toBe("float64");
  });

  test("tensors with axes are promoted", () => {
    expect(resultType(vector("float32"), vector("float64"))).toBe("float64");
    expect(resultType(vector("uint8"), vector("bool"))).toBe("uint8");
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
  ["a", "a"],
  [[1, 2], "1,2"],
  [null, "null"],
  [undefined, "undefined"],
])("what is no operand is refused: %o", (operand, shown) => {
  const x = ones([2]);
  const message = `must be a tensor or a number, got ${shown}. Use tensor(x).`;
  for (const compute of [x.add, x.sub, x.mul, x.div, x.lt, x.maximum, x.pow]) {
    expect(() => compute.call(x, operand as never)).toThrow(message);
  }
});
