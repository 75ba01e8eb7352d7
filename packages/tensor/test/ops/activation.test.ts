import { ArgumentError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { tensor } from "../../src/create.ts";
import type { Tensor } from "../../src/tensor.ts";

// At -1.5, 0 and 2, worked out with Python's math module from the formulas in the docstrings.
const values: readonly [string, (x: Tensor) => Tensor, readonly number[]][] = [
  ["relu", (x) => x.relu(), [0, 0, 2]],
  ["leakyRelu", (x) => x.leakyRelu(), [-0.015, 0, 2]],
  ["leakyRelu 0.2", (x) => x.leakyRelu({ negativeSlope: 0.2 }), [-0.3, 0, 2]],
  ["elu", (x) => x.elu(), [-0.7768698, 0, 2]],
  ["elu 0.5", (x) => x.elu({ alpha: 0.5 }), [-0.3884349, 0, 2]],
  ["sigmoid", (x) => x.sigmoid(), [0.1824255, 0.5, 0.8807971]],
  ["silu", (x) => x.silu(), [-0.2736383, 0, 1.7615942]],
  ["gelu", (x) => x.gelu(), [-0.1002108, 0, 1.9544997]],
  ["gelu tanh", (x) => x.gelu({ approximate: "tanh" }), [-0.1004284, 0, 1.9545977]],
  ["softplus", (x) => x.softplus(), [0.2014133, Math.LN2, 2.126928]],
  ["softplus 2", (x) => x.softplus({ beta: 2 }), [0.0242937, 0.3465736, 2.009075]],
  ["hardswish", (x) => x.hardswish(), [-0.375, 0, 1.6666667]],
  ["mish", (x) => x.mish(), [-0.2980997, 0, 1.943959]],
];

test.each(values)("%s", (_, apply, expected) => {
  const y = apply(tensor([-1.5, 0, 2], { dtype: "float64" })).dataSync();
  expected.forEach((value, i) => {
    expect(y[i]).toBeCloseTo(value, 6);
  });
});

test("nothing overflows far from 0", () => {
  const x = tensor([-1000, 1000], { requiresGrad: true });
  for (const apply of [
    (t: Tensor) => t.sigmoid(),
    (t: Tensor) => t.silu(),
    (t: Tensor) => t.softplus(),
    (t: Tensor) => t.elu(),
    (t: Tensor) => t.mish(),
    (t: Tensor) => t.gelu(),
    (t: Tensor) => t.gelu({ approximate: "tanh" }),
  ]) {
    x.grad = null;
    const y = apply(x);
    y.sum().backward();
    expect(y.isfinite().all().itemSync()).toBe(1);
    expect(x.grad).not.toBeNull();
    expect([...(x.grad as Tensor | null)!.dataSync()].every(Number.isFinite)).toBe(true);
  }
});

test("relu has the slope 0 at 0", () => {
  const x = tensor([-1, 0, 1], { requiresGrad: true });
  x.relu().sum().backward();
  expect(x.grad?.arraySync()).toEqual([0, 0, 1]);
});

test("softplus is x itself beyond the threshold", () => {
  expect(tensor([21]).softplus().arraySync()).toEqual([21]);
  expect(tensor([2]).softplus({ threshold: 1 }).arraySync()).toEqual([2]);
});

test("gelu refuses an approximation it does not know", () => {
  const wrong = { approximate: "erf" as "none" };
  expect(() => tensor([1]).gelu(wrong)).toThrow(ArgumentError);
  expect(() => tensor([1]).gelu(wrong)).toThrow(
    'gelu: approximate must be "none" or "tanh", got erf.',
  );
});
