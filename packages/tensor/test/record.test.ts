import { element } from "@gradloom/engine";
import { expect, test } from "vitest";
import { tensor } from "../src/create.ts";
import { memoryStats } from "../src/engine.ts";
import { formula, given, literal, record } from "../src/record.ts";
import type { Tensor } from "../src/tensor.ts";

/** How many plans are compiled while `fn` runs. */
function plansIn(fn: () => void): number {
  const before = memoryStats().compiledPlans;
  fn();
  return memoryStats().compiledPlans - before;
}

test("a number that the caller gives compiles nothing new, a literal does", () => {
  const x = tensor([1, 2, 3]);
  const scale = (factor: number) =>
    x
      .mul(factor)
      .sub(factor)
      .pow(factor + 0.25)
      .dataSync();
  scale(1.5);
  expect(plansIn(() => scale(2.5))).toBe(0);
  x.mul(literal(2, x)).dataSync();
  expect(plansIn(() => x.mul(literal(3, x)).dataSync())).toBe(1);
  expect(plansIn(() => x.mul(literal(3, x)).dataSync())).toBe(0);
});

test("options that are numbers compile nothing new either", () => {
  const x = tensor([[1, -2, 3]]);
  const all = (value: number) => {
    const y = x
      .leakyRelu({ negativeSlope: value })
      .clamp(-value, 9 * value)
      .layerNorm([3], { eps: value })
      .softplus({ beta: 1 + value, threshold: 20 + value })
      .dropout(value)
      .maskedFill(x.gt(value), value);
    return y.dataSync();
  };
  all(0.25);
  expect(plansIn(() => all(0.5))).toBe(0);
});

test("a result requires a gradient only if one can flow", () => {
  const x = tensor([1], { requiresGrad: true });
  const node = () => element("neg", [x.node], "float32");
  const rule = (grad: Tensor) => grad.neg();
  expect(record("negative", node(), [x], [rule]).history?.op).toBe("negative");
  expect(record("negative", node(), [x], [undefined]).requiresGrad).toBe(false);
  expect(record("negative", node(), [x.detach()], [rule]).requiresGrad).toBe(false);
  expect(record("negative", node()).requiresGrad).toBe(false);
});

test("a formula leaves no history behind", () => {
  const x = tensor([1], { requiresGrad: true });
  const y = record(
    "triple",
    formula(() => x.add(x).add(x)),
    [x],
    [(grad) => grad.mul(literal(3, grad))],
  );
  expect(y.history?.inputs).toEqual([x]);
  y.backward();
  expect(x.grad?.itemSync()).toBe(3);
});

test("given and literal have no axes and the dtype that is asked for", () => {
  const x = tensor([1], { dtype: "float64" });
  expect(literal(0.5, x).dtype).toBe("float64");
  expect(literal(0.5, x).itemSync()).toBe(0.5);
  expect(given(7, "int32").shape).toEqual([]);
  expect(given(7, "int32").itemSync()).toBe(7);
});
