import {
  ArgumentError,
  DTypeError,
  gradcheck,
  manualSeed,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "@gradloom/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MultiHeadAttention } from "../src/index.ts";

const bools = (rows: number[][]): Tensor => tensor(rows).ne(0);

function distance(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return a.sub(b).abs().max().itemSync();
}

describe("MultiHeadAttention", () => {
  test("is the formula, head by head", () => {
    manualSeed(1);
    const attention = new MultiHeadAttention(6, 2);
    const [q, k, v] = [randn([1, 2, 6]), randn([1, 3, 6]), randn([1, 3, 6])];
    const heads = [0, 1].map((head) => {
      const of = (x: Tensor, part: number) =>
        x.linear(attention.inProjWeight.narrow(0, part * 6 + head * 3, 3));
      const scores = of(q, 0).matmul(of(k, 1).transpose(1, 2)).div(Math.sqrt(3));
      return scores.softmax(-1).matmul(of(v, 2));
    });
    const expected = heads
      .map((head, i) => head.linear(attention.outProj.weight.narrow(1, i * 3, 3)))
      .reduce((a, b) => a.add(b));
    expect(distance(attention.forward(q, k, v), expected)).toBeLessThan(1e-6);
  });

  test("a query that sees no key gets zeros, and gradients are finite", () => {
    manualSeed(2);
    const attention = new MultiHeadAttention(4, 2);
    const x = randn([2, 3, 4], { requiresGrad: true });
    const mask = bools([
      [0, 1, 1],
      [1, 1, 1],
      [0, 0, 0],
    ]);
    const keyPaddingMask = bools([
      [0, 0, 1],
      [1, 1, 1],
    ]);
    const [y, weights] = attention.forward(x, x, x, { mask, keyPaddingMask, needWeights: true });
    const nothing = attention.outProj.bias!;
    expect(distance(y.select(0, 0).select(0, 1), nothing)).toBe(0);
    expect(distance(y.select(0, 1), nothing.expand([3, 4]))).toBe(0);
    expect(weights.sum(-1).arraySync()).toEqual([
      [1, 0, expect.closeTo(1, 6)],
      [0, 0, 0],
    ]);
    attention.forward(x, x, x, { mask, keyPaddingMask }).square().sum().backward();
    for (const leaf of [x, ...attention.parameters()]) {
      expect(leaf.grad!.isfinite().all().itemSync()).toBe(1);
    }
  });

  test("weights: one for each key, the mean over heads or each; the output is the same", () => {
    manualSeed(3);
    const attention = new MultiHeadAttention(6, 3);
    const [x, memory] = [randn([2, 4, 6]), randn([2, 5, 6])];
    const [y, mean] = attention.forward(x, memory, memory, { needWeights: true });
    const inputs = { needWeights: true, averageWeights: false } as const;
    const [, each] = attention.forward(x, memory, memory, inputs);
    expect(each.shape).toEqual([2, 3, 4, 5]);
    expect(distance(each.mean(1), mean)).toBeLessThan(1e-7);
    expect(distance(each.sum(-1), tensor(1).expand([2, 3, 4]))).toBeLessThan(1e-6);
    expect(distance(attention.forward(x, memory, memory), y)).toBeLessThan(1e-6);
  });

  test("masks may be combined, and mean the same in each form", () => {
    manualSeed(4);
    const attention = new MultiHeadAttention(4, 2);
    const x = randn([2, 3, 4]);
    const causal = bools([
      [0, 1, 1],
      [0, 0, 1],
      [0, 0, 0],
    ]);
    const padding = bools([
      [0, 0, 1],
      [0, 0, 0],
    ]);
    const expected = attention.forward(x, x, x, { isCausal: true, keyPaddingMask: padding });
    const forms = [
      { mask: causal, keyPaddingMask: padding },
      { mask: causal.expand([2, 3, 3]), keyPaddingMask: padding },
      { mask: causal.expand([4, 3, 3]), keyPaddingMask: padding },
      { mask: causal.logicalOr(padding.unsqueeze(1)) },
      { mask: causal.logicalOr(padding.reshape([2, 1, 1, 3])) },
      { mask: causal.where(tensor(-Infinity), 0), keyPaddingMask: padding },
      { mask: causal, keyPaddingMask: padding.where(tensor(-Infinity), 0) },
    ];
    for (const form of forms) {
      expect(distance(attention.forward(x, x, x, form), expected)).toBeLessThan(1e-6);
    }
  });

  test("property: what is hidden has no influence", () => {
    const sizes = fc.record({
      heads: fc.integer({ min: 1, max: 3 }),
      queries: fc.integer({ min: 1, max: 5 }),
      keys: fc.integer({ min: 2, max: 6 }),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(sizes, ({ heads, queries, keys, seed }) => {
        manualSeed(seed);
        const attention = new MultiHeadAttention(4 * heads, heads);
        const [x, memory] = [randn([2, queries, 4 * heads]), randn([2, keys, 4 * heads])];
        const shown = memory.narrow(1, 0, keys - 1);
        const hidden = tensor(Array.from({ length: keys }, (_, i) => i === keys - 1));
        const expected = attention.forward(x, shown, shown);
        const mask = hidden.expand([queries, keys]);
        const found = attention.forward(x, memory, memory, { mask });
        expect(distance(found, expected)).toBeLessThan(1e-5);
        const keyPaddingMask = hidden.expand([2, keys]);
        const padded = attention.forward(x, memory, memory, { keyPaddingMask });
        expect(distance(padded, expected)).toBeLessThan(1e-5);
      }),
      { numRuns: 10 },
    );
  });

  test("gradients agree with slopes", async () => {
    manualSeed(5);
    const attention = new MultiHeadAttention(4, 2).to("float64");
    const mask = bools([
      [0, 1],
      [1, 1],
      [0, 0],
    ]);
    const [q, k, v] = [3, 2, 2].map((time) =>
      randn([1, time, 4], { dtype: "float64", requiresGrad: true }),
    );
    const forward = (q: Tensor, k: Tensor, v: Tensor) => attention.forward(q, k, v, { mask });
    expect(await gradcheck(forward, [q, k, v])).toBe(true);
  });

  test("dropout acts in training only", () => {
    manualSeed(6);
    const attention = new MultiHeadAttention(4, 1, { dropout: 0.5 });
    const x = randn([1, 8, 4]);
    expect(distance(attention.forward(x, x, x), attention.forward(x, x, x))).toBeGreaterThan(0.01);
    attention.eval();
    expect(distance(attention.forward(x, x, x), attention.forward(x, x, x))).toBe(0);
  });

  test("says what does not fit", () => {
    expect(() => new MultiHeadAttention(6, 4)).toThrow(
      "MultiHeadAttention: dModel must be a multiple of numHeads, got 6 and 4.",
    );
    expect(() => new MultiHeadAttention(4, 2, { dropout: 2 })).toThrow(ArgumentError);
    const attention = new MultiHeadAttention(4, 2);
    const x = randn([2, 3, 4]);
    expect(() => attention.forward(x, x, randn([2, 2, 4]))).toThrow(ShapeError);
    for (const wrong of [undefined, [1]] as never[]) {
      expect(() => attention.forward(x, wrong, x)).toThrow("MultiHeadAttention: it must be given");
      expect(() => attention.forward(x, x, wrong)).toThrow("MultiHeadAttention: it must be given");
    }
    expect(() => attention.forward(x, x, x, { mask: bools([[0, 1]]) })).toThrow(
      "MultiHeadAttention: mask must be [3, 3], [2, 3, 3], [4, 3, 3] or [2, 2, 3, 3], got [1, 2].",
    );
    expect(() => attention.forward(x, x, x, { keyPaddingMask: bools([[0, 1, 0]]) })).toThrow(
      "MultiHeadAttention: keyPaddingMask must be [2, 3], got [1, 3].",
    );
    const padding = bools([
      [0, 0, 1],
      [0, 0, 0],
    ]);
    // Also next to a floating mask, with which it could be added.
    const masks = { mask: zeros([3, 3]), keyPaddingMask: padding.to("int32") };
    expect(() => attention.forward(x, x, x, masks)).toThrow(DTypeError);
    expect(() => attention.forward(x, x, x, masks)).toThrow(
      "MultiHeadAttention: keyPaddingMask must be bool or floating, got int32. Compare first, for example with ne(0).",
    );
  });
});
