import { ArgumentError, gradcheck, ShapeError, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import {
  HuberLoss,
  huberLoss,
  L1Loss,
  l1Loss,
  MSELoss,
  mseLoss,
  type Reduction,
  SmoothL1Loss,
  smoothL1Loss,
} from "../src/index.ts";

// Errors: 0.5, −1, 3.
const prediction = () => tensor([0.5, 1, 3], { requiresGrad: true });
const target = tensor([0, 2, 0]);

const criteria = {
  mse: { fn: mseLoss, module: MSELoss, losses: [0.25, 1, 9], slopes: [1, -2, 6] },
  l1: { fn: l1Loss, module: L1Loss, losses: [0.5, 1, 3], slopes: [1, -1, 1] },
  huber: { fn: huberLoss, module: HuberLoss, losses: [0.125, 0.5, 2.5], slopes: [0.5, -1, 1] },
  smoothL1: {
    fn: smoothL1Loss,
    module: SmoothL1Loss,
    losses: [0.125, 0.5, 2.5],
    slopes: [0.5, -1, 1],
  },
};

describe.each(Object.entries(criteria))("%s", (name, { fn, module: Loss, losses, slopes }) => {
  const sum = losses.reduce((a, b) => a + b);

  test("none, sum and mean, as function and as module", () => {
    expect(fn(prediction(), target, { reduction: "none" }).arraySync()).toEqual(losses);
    expect(fn(prediction(), target, { reduction: "sum" }).itemSync()).toBe(sum);
    expect(fn(prediction(), target).itemSync()).toBeCloseTo(sum / 3, 6);
    for (const reduction of ["none", "sum", "mean"] satisfies Reduction[]) {
      expect(new Loss({ reduction }).forward(prediction(), target).arraySync()).toEqual(
        fn(prediction(), target, { reduction }).arraySync(),
      );
    }
    expect(new Loss().reduction).toBe("mean");
  });

  test("gradients", () => {
    const x = prediction();
    fn(x, target, { reduction: "sum" }).backward();
    expect(x.grad?.arraySync()).toEqual(slopes);
  });

  test("gradcheck in float64", async () => {
    const x = tensor([0.4, -1.7, 3.2], { dtype: "float64", requiresGrad: true });
    const y = tensor([0.1, 0.3, -0.2], { dtype: "float64", requiresGrad: true });
    expect(await gradcheck((a, b) => fn(a, b), [x, y])).toBe(true);
  });

  test("refuses shapes that differ, also if they broadcast, and unknown reductions", () => {
    expect(() => fn(tensor([[1], [2]]), tensor([1, 2]))).toThrow(ShapeError);
    expect(() => Reflect.apply(fn, undefined, [tensor([1]), 0])).toThrow(
      "it must be given a tensor, got 0. Make one with tensor(…).",
    );
    expect(() => fn(tensor([[1], [2]]), tensor([1, 2]))).toThrow(
      "prediction and target must have the same shape, got [2, 1] and [2]",
    );
    const average = { reduction: "average" };
    expect(() => Reflect.construct(Loss, [average])).toThrow(
      `${Loss.name}: reduction must be mean, sum or none, got average.`,
    );
    expect(() => Reflect.apply(fn, undefined, [prediction(), target, average])).toThrow(
      ArgumentError,
    );
    expect(name).toBeTruthy();
  });
});

describe("options", () => {
  test("delta: 0.5² / 2, then 0.75 · (1 − 0.375), 0.75 · (3 − 0.375)", () => {
    const losses = huberLoss(prediction(), target, { delta: 0.75, reduction: "none" });
    expect(losses.arraySync()).toEqual([0.125, 0.46875, 1.96875]);
    expect(new HuberLoss({ delta: 0.75 }).delta).toBe(0.75);
    expect(() => huberLoss(prediction(), target, { delta: 0 })).toThrow(
      "huberLoss: delta must be above 0, got 0.",
    );
  });

  test("beta: 0.5² / (2 · 2), 1 / 4, 3 − 1; with 0 the L1 loss", () => {
    const losses = smoothL1Loss(prediction(), target, { beta: 2, reduction: "none" });
    expect(losses.arraySync()).toEqual([0.0625, 0.25, 2]);
    const sharp = new SmoothL1Loss({ beta: 0, reduction: "none" }).forward(prediction(), target);
    expect(sharp.arraySync()).toEqual([0.5, 1, 3]);
    expect(smoothL1Loss(prediction(), target, { beta: 0 }).itemSync()).toBe(1.5);
    expect(() => smoothL1Loss(prediction(), target, { beta: -1 })).toThrow(ArgumentError);
  });

  test("huge errors stay finite", () => {
    const x = tensor([1e30], { requiresGrad: true });
    const loss = huberLoss(x, tensor([0]));
    loss.backward();
    expect(loss.itemSync()).toBe(Math.fround(1e30));
    expect(x.grad?.itemSync()).toBe(1);
  });
});

test("options that there are not are refused, by functions and by modules", () => {
  const wrong = (options: object): object => options;
  expect(() => mseLoss(prediction(), target, wrong({ reduce: "sum" }))).toThrow(
    "mseLoss: options must be among reduction, got reduce.",
  );
  expect(() => Reflect.apply(huberLoss, undefined, [prediction(), target, "sum"])).toThrow(
    "huberLoss: options must be among reduction, delta, got sum.",
  );
  expect(() => Reflect.construct(SmoothL1Loss, [0.5])).toThrow(
    "SmoothL1Loss: options must be among reduction, beta, got 0.5.",
  );
});
