import { compile, type Tensor, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { Accuracy, ConfusionMatrix, MeanIoU, Perplexity } from "../src/index.ts";

const scores = tensor([
  [1, 5, 2],
  [9, 0, 8],
  [0, 1, 2],
  [3, 2, 1],
]); // classes 1, 0, 2, 0
const truth = tensor([1, 2, 2, 0], { dtype: "int32" });

describe("Accuracy", () => {
  test("is the share over all batches, not the mean of shares", async () => {
    const metric = new Accuracy();
    metric.update(scores, truth);
    metric.update(tensor([[0, 1, 0]]), tensor([0], { dtype: "int32" }));
    expect(await metric.compute()).toBe(3 / 5);
    metric.reset();
    metric.update(scores, truth);
    expect(await metric.compute()).toBe(0.75);
  });

  test("of the k largest scores, of classes, and without what is ignored", async () => {
    const top2 = new Accuracy({ topK: 2 });
    top2.update(scores, truth);
    expect(await top2.compute()).toBe(1);
    const classes = new Accuracy({ ignoreIndex: 2 });
    classes.update(tensor([1, 1, 1, 1], { dtype: "int32" }), truth);
    expect(await classes.compute()).toBe(0.5);
  });

  test("of logits or probabilities for 0 and 1", async () => {
    const target = tensor([0, 1, 1, 0]);
    const logits = new Accuracy();
    logits.update(tensor([-1, 0.2, -0.3, -2]), target);
    expect(await logits.compute()).toBe(0.75);
    const probabilities = new Accuracy({ threshold: 0.5 });
    probabilities.update(tensor([0.1, 0.2, 0.7, 0.9]), target);
    expect(await probabilities.compute()).toBe(0.5);
  });

  test("with classes on the last axis", async () => {
    const metric = new Accuracy({ axis: -1 });
    metric.update(scores.reshape([2, 2, 3]), truth.reshape([2, 2]));
    expect(await metric.compute()).toBe(0.75);
  });

  test("refuses what does not fit, and knows that it has seen nothing", async () => {
    expect(() => new Accuracy().update(scores.reshape([2, 2, 3]), truth.reshape([2, 2]))).toThrow(
      "Accuracy: the prediction must have the target's shape, and classes on axis 1 unless it is class indices, got [2, 2, 3] for [2, 2]. The option axis says where the classes are.",
    );
    expect(() => new Accuracy({ topK: 0 })).toThrow(
      "Accuracy: topK must be a positive integer, got 0.",
    );
    await expect(new Accuracy().compute()).rejects.toThrow(
      "Accuracy: there must be one batch at least, got none.",
    );
  });
});

describe("ConfusionMatrix", () => {
  test("counts each pair over all batches", async () => {
    const metric = new ConfusionMatrix(3);
    metric.update(scores, truth);
    metric.update(scores, truth);
    expect(await metric.compute()).toEqual([
      [2, 0, 0],
      [0, 2, 0],
      [2, 0, 2],
    ]);
  });

  test("of maps, without what is ignored", async () => {
    const metric = new ConfusionMatrix(2, { ignoreIndex: 255 });
    const target = tensor([[0, 255, 1]], { dtype: "int32" });
    metric.update(
      tensor([
        [
          [1, 1, 1],
          [0, 5, 0],
        ],
      ]),
      target,
    );
    expect(await metric.compute()).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  test("refuses classes that there are not", () => {
    const metric = new ConfusionMatrix(3);
    expect(() => metric.update(scores, tensor([0, 1, -1, 2], { dtype: "int32" }))).toThrow(
      "ConfusionMatrix",
    );
    expect(() => new ConfusionMatrix(1.5)).toThrow(
      "ConfusionMatrix: numClasses must be a positive integer, got 1.5.",
    );
  });
});

describe("MeanIoU", () => {
  test("is the mean over the classes that are there", async () => {
    const metric = new MeanIoU(4);
    metric.update(
      tensor([0, 0, 1, 1], { dtype: "int32" }),
      tensor([0, 1, 1, 2], { dtype: "int32" }),
    );
    // 0: 1 of 2; 1: 1 of 3; 2: 0 of 1; 3 is nowhere.
    expect(await metric.compute()).toBeCloseTo((1 / 2 + 1 / 3 + 0) / 3, 15);
  });

  test("is exact over batches, where a mean of means is not", async () => {
    const metric = new MeanIoU(2);
    metric.update(
      tensor([0, 0, 0, 0], { dtype: "int32" }),
      tensor([0, 0, 0, 0], { dtype: "int32" }),
    );
    metric.update(tensor([0, 1], { dtype: "int32" }), tensor([1, 1], { dtype: "int32" }));
    expect(await metric.compute()).toBeCloseTo((4 / 5 + 1 / 2) / 2, 15);
  });
});

describe("Perplexity", () => {
  test("is e to the mean cross-entropy of all targets", async () => {
    const metric = new Perplexity();
    const logits = tensor([[Math.log(1), Math.log(3)]]);
    metric.update(logits, tensor([1], { dtype: "int32" }));
    metric.update(logits, tensor([0], { dtype: "int32" }));
    metric.update(logits, tensor([-100], { dtype: "int32" }));
    expect(await metric.compute()).toBeCloseTo(1 / Math.sqrt((3 / 4) * (1 / 4)), 6);
  });

  test("of a language model's logits, whichever axis has the classes", async () => {
    const last = new Perplexity({ axis: -1 });
    const second = new Perplexity();
    const logits = scores.reshape([2, 2, 3]);
    last.update(logits, truth.reshape([2, 2]));
    second.update(logits.transpose(1, 2), truth.reshape([2, 2]));
    expect(await last.compute()).toBe(await second.compute());
    expect(() => last.update(truth, truth)).toThrow(
      "Perplexity: logits must have an axis of classes, got [4] as the target's.",
    );
  });
});

test("a metric goes on from its state", async () => {
  const metric = new ConfusionMatrix(3);
  metric.update(scores, truth);
  const state = metric.stateDict();
  metric.update(scores, truth);
  const other = new ConfusionMatrix(3);
  other.loadStateDict(state);
  other.update(scores, truth);
  expect(await other.compute()).toEqual(await metric.compute());
  other.loadStateDict(new ConfusionMatrix(3).stateDict());
  await expect(other.compute()).rejects.toThrow("one batch at least");
});

test("sums are exact where float32 and int32 are not", async () => {
  const metric = new Accuracy();
  metric.loadStateDict({ sums: tensor([2 ** 40, 2 ** 41], { dtype: "float64" }) });
  metric.update(scores, truth);
  expect(await metric.compute()).toBe((2 ** 40 + 3) / (2 ** 41 + 4));
});

test("a compiled step goes on with what a metric has loaded", async () => {
  const accuracy = new Accuracy();
  const nothing = accuracy.stateDict();
  const step = compile((prediction: Tensor, target: Tensor) => {
    accuracy.update(prediction, target);
  });
  const classes = [
    [0, 0],
    [0, 1],
    [0, 1],
    [1, 1],
  ];
  const measured: number[] = [];
  for (const [i, target] of classes.entries()) {
    if (i === 2) accuracy.loadStateDict(nothing);
    step(
      tensor([
        [2, 1],
        [1, 2],
      ]),
      tensor(target, { dtype: "int32" }),
    );
    measured.push(await accuracy.compute());
  }
  expect(measured).toEqual([0.5, 0.75, 1, 0.75]);
});
