import { beforeEach, describe, expect, it } from "vitest";
import {
  arange,
  conv2d,
  embedding,
  explain,
  manualSeed,
  ones,
  randn,
  realize,
  type Tensor,
  tensor,
} from "../src/index.ts";

/** The sizes of the products that a tensor takes. */
function products(x: Tensor): string[] {
  return explain(x).plans.flatMap(({ kernels }) =>
    kernels.filter(({ kind }) => kind === "matmul").map(({ sizes }) => sizes.join(" ")),
  );
}

function given(...shape: number[]): Tensor {
  const x = randn(shape);
  realize(x);
  return x;
}

describe("what is computed", () => {
  beforeEach(() => manualSeed(1));

  it("is what is read: the last row of a product, and of all products before it", () => {
    const [x, v, w] = [given(32, 16), given(16, 24), given(24, 40)];
    const y = x.matmul(v).relu().matmul(w);
    expect(products(y.select(0, -1))).toEqual(["1 24 16", "1 40 24"]);
    expect(products(y.narrow(1, 8, 12))).toEqual(["32 24 16", "32 12 24"]);
    expect(products(y)).toEqual(["32 24 16", "32 40 24"]);
    const row = x.narrow(0, 31, 1).matmul(v).relu().matmul(w).squeeze(0);
    expect(y.select(0, -1).sub(row).abs().max().itemSync()).toBeLessThan(1e-5);
  });

  it("is the last row of each matrix of a batch, through a norm and attention", () => {
    const [q, k, v, w] = [given(3, 32, 16), given(3, 32, 16), given(3, 32, 16), given(16, 8)];
    const weights = q.matmul(k.transpose(1, 2)).softmax(-1);
    const y = weights.matmul(v).matmul(w);
    expect(products(y.select(1, -1))).toEqual(["3 1 32 16", "3 1 16 32", "3 8 16"]);
    const whole = y.dataSync();
    const rows = y.select(1, -1).dataSync();
    for (let i = 0; i < 24; i++) {
      expect(rows[i]).toBeCloseTo(whole[(Math.floor(i / 8) * 32 + 31) * 8 + (i % 8)], 5);
    }
  });

  it("is all from the first to the last that is read, every other one where that is so", () => {
    const [x, w] = [given(32, 16), given(16, 24)];
    const y = x.matmul(w);
    const both = y.select(0, 3).add(y.select(0, 7));
    expect(products(both)).toEqual(["5 24 16"]);
    expect(products(y.narrow(0, 1, 31).unfold(0, 1, 2).sum(0))).toEqual(["16 24 16"]);
  });

  it("is all of what somebody else reads, or an index may name", () => {
    const [x, w] = [given(32, 16), given(16, 24)];
    const y = x.matmul(w);
    expect(products(y.select(0, 1).add(y.sum(0)))).toEqual(["32 24 16"]);
    expect(products(y.gather(arange(24, { dtype: "int32" }).unsqueeze(0), 0))).toEqual([
      "32 24 16",
    ]);
  });

  it("includes what an index has to be checked for", () => {
    const ids = tensor([3, 0], { dtype: "int32" }).mul(3);
    const rows = embedding(ids, ones([4, 8])).matmul(ones([8, 2]));
    expect(() => rows.select(0, 1).dataSync()).toThrow(/0 … 3, got 9/);
  });

  it("is some pictures of a batch, and some channels of a convolution", () => {
    const [x, w] = [given(4, 3, 9, 9), given(8, 3, 3, 3)];
    const y = conv2d(x, w, { padding: 1 });
    const whole = y.dataSync();
    expect(y.select(0, 2).dataSync()[100]).toBeCloseTo(whole[2 * 648 + 100], 5);
    expect(y.select(1, 5).dataSync()[90]).toBeCloseTo(whole[648 + 5 * 81 + 9], 5);
    expect(y.select(2, 4).dataSync()[17]).toBeCloseTo(whole[81 + 4 * 9 + 8], 5);
  });
});
