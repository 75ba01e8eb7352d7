import { inspect } from "node:util";
import { DTypeError, ShapeError, StateError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { tensor } from "../src/create.ts";
import { realize } from "../src/engine.ts";
import { noGrad } from "../src/grad-mode.ts";
import { Tensor } from "../src/tensor.ts";

describe("reading", () => {
  test("gives typed arrays, nested arrays and numbers, now or later", async () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]).add(1);
    expect(await x.data()).toEqual(Float32Array.of(2, 3, 4, 5));
    expect(x.dataSync()).toEqual(Float32Array.of(2, 3, 4, 5));
    expect(await x.array()).toEqual([
      [2, 3],
      [4, 5],
    ]);
    expect(x.arraySync()).toEqual([
      [2, 3],
      [4, 5],
    ]);
    expect(await x.sum().item()).toBe(14);
    expect(x.sum().itemSync()).toBe(14);
  });

  test("JSON has nested arrays, with nulls for what it has no numbers for", () => {
    const x = tensor([
      [1, Number.NaN],
      [0.5, 2],
    ]);
    expect(JSON.stringify({ x, loss: x.select(1, 0).sum() })).toBe(
      '{"x":[[1,null],[0.5,2]],"loss":1.5}',
    );
  });

  test("item wants exactly one element", async () => {
    const message =
      "item: the tensor must have one element, got [2]. Read it with array() or data().";
    expect(() => tensor([1, 2]).itemSync()).toThrow(ShapeError);
    expect(() => tensor([1, 2]).itemSync()).toThrow(message);
    await expect(tensor([1, 2]).item()).rejects.toThrow(message);
    expect(tensor([[7]]).itemSync()).toBe(7);
  });

  test("what was read may be changed without changing the tensor", () => {
    const x = tensor([1, 2]);
    x.dataSync()[0] = 9;
    expect(x.arraySync()).toEqual([1, 2]);
  });
});

test("shape, ndim, numel and dtype are plain properties", () => {
  const x = tensor([[1, 2, 3]]);
  expect(x.shape).toEqual([1, 3]);
  expect(x.ndim).toBe(2);
  expect(x.numel).toBe(3);
  expect(x.dtype).toBe("float32");
});

test("prints itself", () => {
  const x = tensor([1, 2]);
  expect(inspect(x)).toBe(String(x));
  expect(String(x)).toContain("[1., 2.]");
});

describe("assign", () => {
  test("takes a new value in place", () => {
    const x = tensor([1, 2]);
    x.assign(x.add(1));
    x.assign(x.mul(10));
    expect(x.arraySync()).toEqual([20, 30]);
  });

  test("leaves alone what was recorded before", () => {
    const x = tensor([1, 2]);
    const before = x.mul(1);
    x.assign(tensor([5, 6]));
    const after = x.mul(1);
    realize(before, after);
    expect(before.arraySync()).toEqual([1, 2]);
    expect(after.arraySync()).toEqual([5, 6]);
  });

  test("is seen by all that share the value", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const shared = new Tensor(x);
    const detached = x.detach();
    const copy = x.clone();
    noGrad(() => x.assign(tensor([3, 4])));
    expect(shared.arraySync()).toEqual([3, 4]);
    expect(detached.arraySync()).toEqual([3, 4]);
    expect(copy.arraySync()).toEqual([1, 2]);
    detached.assign(tensor([5, 6]));
    expect(x.arraySync()).toEqual([5, 6]);
  });

  test("a copy of a differentiable result does not change the result", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.exp();
    const leaf = new Tensor(y);
    leaf.assign(tensor([0, 0]));
    y.sum().backward();
    expect(leaf.arraySync()).toEqual([0, 0]);
    expect(x.grad?.dataSync()[0]).toBeCloseTo(Math.E, 5);
  });

  test("refuses what it cannot do, and says what would work", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    expect(() => x.assign(tensor([3, 4]))).toThrow(StateError);
    expect(() => x.assign(tensor([3, 4]))).toThrow(
      "assign: a tensor that requires a gradient must be assigned to inside noGrad().",
    );
    expect(() => noGrad(() => x.mul(2)).assign(tensor([1]))).toThrow(
      "assign: the value must be float32 [2] as the state is, got float32 [1]. Use to(), expand() or reshape().",
    );
    expect(() => x.mul(2).assign(tensor([3, 4]))).toThrow(
      'assign: the tensor must be a leaf, got a result of "mul". Assign to its detach().',
    );
    expect(() => tensor([1, 2]).assign(tensor([1, 2], { dtype: "int32" }))).toThrow(
      "assign: the value must be float32 [2] as the state is, got int32 [2]. Use to(), expand() or reshape().",
    );
  });
});

describe("clone", () => {
  test("of a state keeps the value that it had", () => {
    const x = tensor([1, 2]).assign(tensor([3, 4]));
    const copy = x.clone();
    x.assign(tensor([5, 6]));
    realize(x);
    expect(copy.arraySync()).toEqual([3, 4]);
  });

  test("lets gradients through", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    x.clone().mul(3).sum().backward();
    expect(x.grad?.arraySync()).toEqual([3, 3]);
  });
});

describe("requiresGrad_", () => {
  test("is for floating leaves", () => {
    expect(tensor([1]).requiresGrad_().requiresGrad).toBe(true);
    expect(() => tensor([1], { dtype: "int32" }).requiresGrad_()).toThrow(DTypeError);
    const y = tensor([1], { requiresGrad: true }).mul(2);
    expect(() => y.requiresGrad_(false)).toThrow(
      'requiresGrad_: the tensor must be a leaf, got a result of "mul". Use detach().',
    );
  });

  test("retainGrad is for what requires a gradient", () => {
    expect(() => tensor([1]).retainGrad()).toThrow(
      "retainGrad: the tensor must require a gradient, got one that does not.",
    );
  });
});
