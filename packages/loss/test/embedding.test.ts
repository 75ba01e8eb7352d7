import { gradcheck, ones, randn, ShapeError, tensor, zeros } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import {
  CosineEmbeddingLoss,
  cosineEmbeddingLoss,
  crossEntropyLoss,
  DiceLoss,
  diceLoss,
  FocalLoss,
  focalLoss,
  TripletMarginLoss,
  tripletMarginLoss,
} from "../src/index.ts";

const int32 = { dtype: "int32" } as const;
const none = { reduction: "none" } as const;

describe("cosineEmbeddingLoss", () => {
  const a = tensor([
    [3, 4],
    [3, 4],
    [1, 0],
  ]);
  const b = tensor([
    [4, 3],
    [4, 3],
    [0, 1],
  ]);

  test("worked out by hand: the cosines are 0.96, 0.96 and 0", () => {
    const y = tensor([1, -1, -1], int32);
    const losses = [...cosineEmbeddingLoss(a, b, y, { margin: 0.5, ...none }).dataSync()];
    [0.04, 0.46, 0].forEach((expected, i) => {
      expect(losses[i]).toBeCloseTo(expected, 6);
    });
    const mean = new CosineEmbeddingLoss().forward(a, b, y).itemSync();
    expect(mean).toBeCloseTo(1 / 3, 6);
  });

  test("a vector of zeros has cosine 0; shapes must fit", () => {
    const x = zeros([1, 2], { requiresGrad: true });
    const loss = cosineEmbeddingLoss(x, ones([1, 2]), tensor([1]));
    loss.backward();
    expect(loss.itemSync()).toBe(1);
    expect([...x.grad!.dataSync()].every(Number.isFinite)).toBe(true);
    expect(() => cosineEmbeddingLoss(a, b, tensor([1]))).toThrow(ShapeError);
    expect(() => cosineEmbeddingLoss(a, b, tensor([1]))).toThrow("got [3, 2], [3, 2] and [1].");
  });
});

describe("tripletMarginLoss", () => {
  const [anchor, positive, negative] = [tensor([[0, 0]]), tensor([[3, 4]]), tensor([[0, 2]])];

  test("worked out by hand: distances 5 and 2, and √13 from the positive to the negative", () => {
    expect(tripletMarginLoss(anchor, positive, negative).itemSync()).toBeCloseTo(4, 4);
    expect(tripletMarginLoss(anchor, positive, negative, { p: 1 }).itemSync()).toBeCloseTo(6, 4);
    expect(tripletMarginLoss(anchor, negative, positive).itemSync()).toBe(0);
    const swapped = new TripletMarginLoss({ swap: true, margin: 4 });
    expect(swapped.forward(anchor, negative, positive).itemSync()).toBeCloseTo(
      6 - Math.sqrt(13),
      4,
    );
  });
});

describe("diceLoss", () => {
  test("worked out by hand: even probabilities, and a class that fills three of four pixels", () => {
    const target = tensor(
      [
        [
          [0, 0],
          [0, 1],
        ],
      ],
      int32,
    );
    // Class 0: 1 − (2 · 1.5 + 1) / (2 + 3 + 1) = 1/3. Class 1: 1 − (2 · 0.5 + 1) / (2 + 1 + 1) = 1/2.
    const losses = [...diceLoss(zeros([1, 2, 2, 2]), target, none).dataSync()];
    expect(losses[0]).toBeCloseTo(1 / 3, 6);
    expect(losses[1]).toBeCloseTo(1 / 2, 6);
    const mean = new DiceLoss().forward(zeros([1, 2, 2, 2]), target).itemSync();
    expect(mean).toBeCloseTo(5 / 12, 6);
    const wrong = diceLoss(zeros([2, 2]), tensor([5, 0], int32).sub(0));
    expect(() => wrong.itemSync()).toThrow("diceLoss: an index must be in 0 … 1, got 5.");
  });

  test("perfect overlap costs nothing; gradcheck", async () => {
    const target = tensor([0, 1], int32);
    const sure = tensor([
      [100, 0],
      [0, 100],
    ]);
    expect(diceLoss(sure, target).itemSync()).toBeCloseTo(0, 6);
    const x = randn([2, 3, 2], { dtype: "float64", requiresGrad: true });
    const classes = tensor(
      [
        [0, 1],
        [2, 2],
      ],
      int32,
    );
    expect(await gradcheck((logits) => diceLoss(logits, classes, { smooth: 0.5 }), [x])).toBe(true);
  });
});

describe("focalLoss", () => {
  const logits = tensor([[0, Math.log(3)]]);
  const target = tensor([1], int32);

  test("worked out by hand: p = ¾, so (¼)² · ln(4/3)", () => {
    const loss = focalLoss(logits, target).itemSync();
    expect(loss).toBeCloseTo(Math.log(4 / 3) / 16, 6);
    const weighted = new FocalLoss({ gamma: 1, alpha: tensor([1, 8]) }).forward(logits, target);
    expect(weighted.itemSync()).toBeCloseTo(2 * Math.log(4 / 3), 6);
    expect(focalLoss(logits, target, { alpha: 0.5 }).itemSync()).toBeCloseTo(loss / 2, 6);
  });

  test("with gamma 0 it is the cross-entropy; right examples stay finite; gradcheck", async () => {
    const x = randn([4, 3]);
    const classes = tensor([0, 1, 2, 0], int32);
    const plain = crossEntropyLoss(x, classes).itemSync();
    expect(focalLoss(x, classes, { gamma: 0 }).itemSync()).toBeCloseTo(plain, 6);
    const sure = tensor([[0, 1000]], { requiresGrad: true });
    const loss = focalLoss(sure, target, { gamma: 0.5 });
    loss.backward();
    expect([loss.itemSync(), ...sure.grad!.dataSync()].every(Number.isFinite)).toBe(true);
    const y = randn([4, 3], { dtype: "float64", requiresGrad: true });
    expect(await gradcheck((l) => focalLoss(l, classes, { gamma: 1.5 }), [y])).toBe(true);
    expect(() => focalLoss(logits, target, { gamma: -1 })).toThrow("gamma must be at least 0");
  });
});
