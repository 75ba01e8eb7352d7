import { DTypeError, ShapeError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { full, ones, tensor, zeros } from "../../src/create.ts";
import { memoryStats, realize } from "../../src/engine.ts";
import { Generator } from "../../src/generator.ts";
import { gradcheck, gradgradcheck } from "../../src/gradcheck.ts";
import { attendInBlocks } from "../../src/ops/attention-blocks.ts";
import { type AttentionOptions, scaledDotProductAttention } from "../../src/ops/index.ts";
import { bernoulli, randn } from "../../src/random.ts";
import { explain } from "../../src/report.ts";
import type { Tensor } from "../../src/tensor.ts";
import { grad } from "../../src/transforms/grad.ts";
import { largestDifference } from "../samples.ts";

describe("scaledDotProductAttention", () => {
  const v = () => tensor([[1], [2], [4]]);

  test("averages values by the softmax of scores", () => {
    const q = tensor([[1, 0]]);
    const k = tensor([
      [Math.log(1), 9],
      [Math.log(2), 9],
      [Math.log(5), 9],
    ]);
    const y = scaledDotProductAttention(q, k, v(), { scale: 1 });
    expect(y.itemSync()).toBeCloseTo((1 * 1 + 2 * 2 + 5 * 4) / 8, 6);
    // By default scores are divided by the square root of the features.
    const halved = scaledDotProductAttention(q.mul(Math.SQRT2), k, v());
    expect(halved.itemSync()).toBeCloseTo(25 / 8, 6);
  });

  test("a query sees the keys up to its own number", () => {
    const y = scaledDotProductAttention(zeros([3, 2]), zeros([3, 2]), v(), { isCausal: true });
    [1, 1.5, 7 / 3].forEach((mean, i) => {
      expect(y.dataSync()[i]).toBeCloseTo(mean, 6);
    });
  });

  test("a boolean mask says who takes part, a number is added", () => {
    const [q, k] = [zeros([1, 2]), zeros([3, 2])];
    const mask = tensor([1, 0, 1]).to("bool");
    expect(scaledDotProductAttention(q, k, v(), { mask }).itemSync()).toBe(2.5);
    const added = tensor([0, Math.log(2), Number.NEGATIVE_INFINITY]);
    const y = scaledDotProductAttention(q, k, v(), { mask: added });
    expect(y.itemSync()).toBeCloseTo(5 / 3, 6);
  });

  test("who sees no key gets 0, and gives gradients of 0", () => {
    const [q, k, value] = [ones([2, 2]), ones([3, 2]), v()].map((x) => x.requiresGrad_());
    const mask = tensor([
      [0, 0, 0],
      [1, 1, 1],
    ]).to("bool");
    const y = scaledDotProductAttention(q, k, value, { mask });
    expect(y.select(0, 0).itemSync()).toBe(0);
    y.select(0, 0).sum().backward();
    for (const x of [q, k, value]) expect(x.grad?.abs().sum().itemSync()).toBe(0);
  });

  test("drops weights, and scales the others", () => {
    const options = { dropout: 0.5, generator: new Generator(1) };
    const [q, k] = [zeros([200, 2]), zeros([3, 2])];
    const y = [...scaledDotProductAttention(q, k, ones([3, 1]), options).dataSync()];
    const allowed = [0, 2 / 3, 4 / 3, 2];
    for (const value of y) expect(allowed.some((a) => Math.abs(a - value) < 1e-6)).toBe(true);
    expect(y.reduce((a, b) => a + b) / 200).toBeCloseTo(1, 0);
    expect(() => scaledDotProductAttention(q, k, ones([3, 1]), { dropout: 2 })).toThrow(
      "scaledDotProductAttention: dropout must be in [0, 1], got 2.",
    );
  });

  test("refuses what does not fit", () => {
    const bad = () => scaledDotProductAttention(zeros([2, 3]), zeros([4, 5]), zeros([4, 5]));
    expect(bad).toThrow(ShapeError);
    expect(bad).toThrow(
      "scaledDotProductAttention: the tensors must be [..., queries, features], [..., keys, features] and [..., keys, valueFeatures], got [2, 3] and [4, 5] and [4, 5].",
    );
    const with_ = (mask: Tensor) => () =>
      scaledDotProductAttention(zeros([2, 3]), zeros([4, 3]), zeros([4, 5]), { mask });
    expect(with_(ones([3, 4]))).toThrow(
      "scaledDotProductAttention: the mask must broadcast to the scores [2, 4], got [3, 4].",
    );
    expect(with_(ones([2, 2, 4]))).toThrow(ShapeError);
    expect(with_(ones([2, 4], { dtype: "int32" }))).toThrow(DTypeError);
  });
});

const double = { dtype: "float64" } as const;

/** In blocks of two queries and as much of the batch as four scores make. */
function inTinyBlocks(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  const { mask, isCausal = false, dropout = 0, generator } = options;
  const scale = full([], 0.5, double);
  const task = { q, k, v, mask, first: 0, isCausal, scale, dropout, generator };
  return attendInBlocks("attention", task, { bytes: 4 * 8 * k.shape[k.ndim - 2], rows: 2 });
}

describe("attention in blocks", () => {
  const random = (shape: readonly number[]) => {
    return randn(shape, { ...double, generator: new Generator(shape.length) }).requiresGrad_();
  };
  const inputs = (lead: readonly number[], queries: number, keys: number) => [
    random([...lead, queries, 2]),
    random([...lead, keys, 2]),
    random([...lead, keys, 3]),
  ];
  const seen = (shape: readonly number[]) => {
    return bernoulli(full(shape, 0.6), { generator: new Generator(5) }).to("bool");
  };

  test.each<[string, readonly number[], number, number, AttentionOptions]>([
    ["all", [2, 3], 5, 7, {}],
    ["without a batch", [], 5, 7, {}],
    ["causal", [2, 3], 7, 7, { isCausal: true }],
    ["causal, more queries", [2], 9, 4, { isCausal: true }],
    ["causal, more keys", [3], 4, 9, { isCausal: true }],
    ["a mask for all", [2, 2], 7, 6, { mask: seen([1, 1, 7, 6]) }],
    ["a mask of keys", [2, 2], 7, 6, { mask: seen([2, 1, 1, 6]), isCausal: true }],
    ["added numbers", [2, 2], 5, 6, { mask: randn([2, 1, 5, 6], double) }],
    ["nothing seen", [2], 5, 6, { mask: zeros([1, 5, 6], { dtype: "bool" }) }],
  ])("is the same, with gradients to second order: %s", (_name, lead, queries, keys, options) => {
    const [q, k, v] = inputs(lead, queries, keys);
    const upstream = randn([...lead, queries, 3], double);
    const [expected, actual] = [false, true].map((blocks) => {
      const y = blocks
        ? inTinyBlocks(q, k, v, options)
        : scaledDotProductAttention(q, k, v, { ...options, scale: 0.5 });
      const first = grad(y.mul(upstream).sum(), [q, k, v], { createGraph: true });
      const loss = first.map((x) => x.square().sum()).reduce((a, b) => a.add(b));
      const all = [y, ...first, ...grad(loss, [q, k, v])];
      realize(...all);
      return all.map((x) => x.dataSync());
    });
    actual.forEach((values, i) => {
      expect(largestDifference(values, expected[i], 1e-11, 1e-11), `result ${i}`).toBeUndefined();
    });
  });

  test("with dropout the gradient drops what the result dropped", async () => {
    const [q, k, v] = inputs([2], 4, 3);
    const call = (...[q, k, v]: Tensor[]) =>
      inTinyBlocks(q, k, v, { dropout: 0.4, generator: new Generator(9), isCausal: true });
    await expect(gradcheck(call, [q, k, v])).resolves.toBe(true);
    await expect(gradgradcheck(call, [q, k, v])).resolves.toBe(true);
  });

  test("so many that they may not wait are computed together: nothing of a block is kept", () => {
    const [q, k, v] = inputs([8], 480, 20);
    realize(q, k, v);
    const before = memoryStats().residentValues;
    const y = inTinyBlocks(q, k, v, {});
    const gradients = grad(y.sum(), [q, k, v]);
    realize(y, ...gradients);
    expect(memoryStats().residentValues - before).toBeLessThan(10);
    const whole = scaledDotProductAttention(q, k, v, { scale: 0.5 });
    const expected = grad(whole.sum(), [q, k, v]);
    [y, ...gradients].forEach((x, i) => {
      const exact = [whole, ...expected][i].dataSync();
      expect(largestDifference(x.dataSync(), exact, 1e-11, 1e-11), `result ${i}`).toBeUndefined();
    });
  });

  test.each([0, 0.1])(
    "memory grows with the length, not with its square; dropout %d",
    (dropout) => {
      const bytes = [1024, 2048, 4096].map((length) => {
        const [q, k, v] = [1, 2, 3].map((seed) =>
          randn([1, length, 64], { generator: new Generator(seed) }).requiresGrad_(),
        );
        realize(q, k, v);
        const y = scaledDotProductAttention(q, k, v, { dropout, isCausal: dropout > 0 });
        const sums = grad(y.sum(), [q, k, v]).map((x) => x.sum());
        const plan = explain(y.sum().add(sums.reduce((a, b) => a.add(b)))).plans[0];
        return plan.arenaBytes;
      });
      expect(bytes[1]).toBeLessThan(2.2 * bytes[0]);
      expect(bytes[2]).toBeLessThan(2.2 * bytes[1]);
      expect(bytes[2]).toBeLessThan((4096 * 4096 * 4) / 3);
    },
  );
});
