import { manualSeed, rand, type Tensor } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { Dropout, Embedding, Linear, Module, ReLU, Sequential } from "../src/index.ts";

test("is a table of results and parameters", () => {
  const model = new Sequential(new Linear(784, 32), new ReLU(), new Linear(32, 10));
  model.at(0)?.requiresGrad_(false);
  expect(model.summary([64, 784])).toBe(
    [
      "Module        Result     Parameters",
      "───────────────────────────────────",
      "Sequential    [64, 10]            –",
      "  0: Linear   [64, 32]       25,120",
      "  1: ReLU     [64, 32]            –",
      "  2: Linear   [64, 10]          330",
      "───────────────────────────────────",
      "Parameters: 25,450, trained: 330",
    ].join("\n"),
  );
});

test("takes several inputs, and shows results that are lists", () => {
  class Pair extends Module {
    readonly unused: Linear = new Linear(1, 1);
    forward(a: Tensor, b: Tensor): [Tensor, { sum: Tensor }] {
      return [a.matmul(b), { sum: a.sum() }];
    }
  }
  const lines = new Pair().summary([
    [2, 3],
    [3, 4],
  ]);
  expect(lines).toContain("Pair               ([2, 4], –)");
  expect(lines).toContain("  unused: Linear   –");
});

test("a model of indices wants a dtype", () => {
  const model = new Sequential(new Embedding(5, 3), new Linear(3, 2));
  expect(() => model.summary([4, 7])).toThrow(
    'summary: the inputs must have the dtype that forward takes, got float32. For indices: summary(inputShape, { dtype: "int32" }). embedding: indices must be int32',
  );
  expect(model.summary([4, 7], { dtype: "int32" })).toContain("[4, 7, 2]");
});

test("leaves the model and the random numbers as they were", () => {
  const model = new Sequential(new Linear(2, 2), new Dropout(0.5));
  model.at(1)?.eval();
  manualSeed(3);
  const expected = rand([2]).arraySync();
  manualSeed(3);
  model.summary([1, 2]);
  expect(rand([2]).arraySync()).toEqual(expected);
  expect(model.modules().map((m) => m.training)).toEqual([true, true, false]);
  expect(Object.hasOwn(model, "forward")).toBe(false);
});

test("restores the model if forward fails, also a forward that is a field", () => {
  class Failing extends Module {
    override forward = (_x: Tensor): Tensor => {
      throw new Error("no");
    };
  }
  const model = new Failing();
  const { forward } = model;
  expect(() => model.summary([1])).toThrow("no");
  expect(model.forward).toBe(forward);
});
