import {
  DTypeError,
  gradcheck,
  IndexError,
  randn,
  ShapeError,
  tensor,
  zeros,
} from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { CrossEntropyLoss, crossEntropyLoss, NLLLoss, nllLoss } from "../src/index.ts";

const int32 = { dtype: "int32" } as const;
const ln2 = Math.LN2;

// Two classes with logits (0, ln 3): probabilities ¼ and ¾. With (0, 0): ½ and ½.
const logits = () =>
  tensor(
    [
      [0, Math.log(3)],
      [0, 0],
    ],
    { requiresGrad: true },
  );

function closeTo(got: unknown, expected: readonly number[]): void {
  const values = [got].flat(3) as number[];
  expect(values).toHaveLength(expected.length);
  values.forEach((value, i) => {
    expect(value, `element ${i}`).toBeCloseTo(expected[i], 5);
  });
}

describe("class indices", () => {
  const target = tensor([0, 1], int32);

  test("worked out by hand: ln 4 and ln 2", () => {
    const none = crossEntropyLoss(logits(), target, { reduction: "none" });
    closeTo(none.arraySync(), [2 * ln2, ln2]);
    closeTo(crossEntropyLoss(logits(), target, { reduction: "sum" }).arraySync(), [3 * ln2]);
    closeTo(crossEntropyLoss(logits(), target).arraySync(), [1.5 * ln2]);
    closeTo(new CrossEntropyLoss().forward(logits(), target).arraySync(), [1.5 * ln2]);
  });

  test("the gradient is softmax minus one-hot, over the batch", () => {
    const x = logits();
    crossEntropyLoss(x, target).backward();
    closeTo(x.grad?.arraySync(), [-0.375, 0.375, 0.25, -0.25]);
  });

  test("weights: the mean is divided by the weights that count", () => {
    const weight = tensor([1, 3]);
    const none = crossEntropyLoss(logits(), target, { weight, reduction: "none" });
    closeTo(none.arraySync(), [2 * ln2, 3 * ln2]);
    closeTo(crossEntropyLoss(logits(), target, { weight }).arraySync(), [(5 * ln2) / 4]);
  });

  test("ignored targets count neither above nor below, and get no gradient", () => {
    const x = logits();
    const loss = crossEntropyLoss(x, tensor([-100, 1], int32));
    loss.backward();
    closeTo(loss.arraySync(), [ln2]);
    closeTo(x.grad?.arraySync(), [0, 0, 0.5, -0.5]);
    const own = { ignoreIndex: 1, reduction: "none" } as const;
    closeTo(crossEntropyLoss(logits(), target, own).arraySync(), [2 * ln2, 0]);
    expect(crossEntropyLoss(logits(), tensor([-100, -100], int32)).itemSync()).toBeNaN();
  });

  test("label smoothing: 0.2 of each target is spread, here over two classes", () => {
    const none = crossEntropyLoss(logits(), target, { labelSmoothing: 0.2, reduction: "none" });
    const [first, second] = [2 * ln2, Math.log(4 / 3)];
    closeTo(none.arraySync(), [0.9 * first + 0.1 * second, ln2]);
  });

  test("uint8, one example alone, and pixels", () => {
    closeTo(crossEntropyLoss(logits(), tensor([0, 1], { dtype: "uint8" })).arraySync(), [
      1.5 * ln2,
    ]);
    closeTo(crossEntropyLoss(tensor([0, 0]), tensor(1, int32)).arraySync(), [ln2]);
    // [N, C, d] = [1, 2, 2]: the two pixels are the two examples from above.
    const pixels = logits().t().reshape([1, 2, 2]);
    const losses = crossEntropyLoss(pixels, tensor([[0, 1]], int32), { reduction: "none" });
    expect(losses.shape).toEqual([1, 2]);
    closeTo(losses.arraySync(), [2 * ln2, ln2]);
  });

  test("a class with probability 0 that is not the target does no harm", () => {
    const x = tensor([[Number.NEGATIVE_INFINITY, 0, 0]], { requiresGrad: true });
    const loss = crossEntropyLoss(x, tensor([1], int32));
    loss.backward();
    closeTo(loss.arraySync(), [ln2]);
    closeTo(x.grad?.arraySync(), [0, -0.5, 0.5]);
  });

  test("huge logits", () => {
    const x = tensor([[1e30, -1e30, 0]], { requiresGrad: true });
    const loss = crossEntropyLoss(x, tensor([0], int32));
    loss.backward();
    expect(loss.itemSync()).toBeCloseTo(0);
    expect(x.grad?.arraySync()).toEqual([[0, 0, 0]]);
    const wrong = crossEntropyLoss(tensor([[1000, 0]]), tensor([1], int32));
    expect(wrong.itemSync()).toBe(1000);
  });
});

describe("class probabilities", () => {
  const target = tensor([
    [0.5, 0.5],
    [1, 0],
  ]);

  test("worked out by hand, with weights and smoothing", () => {
    const first = ln2 + 0.5 * Math.log(4 / 3);
    closeTo(crossEntropyLoss(logits(), target, { reduction: "none" }).arraySync(), [first, ln2]);
    closeTo(crossEntropyLoss(logits(), target).arraySync(), [(first + ln2) / 2]);
    closeTo(crossEntropyLoss(logits(), target, { reduction: "sum" }).arraySync(), [first + ln2]);
    const weighted = crossEntropyLoss(logits(), target, {
      weight: tensor([2, 0]),
      reduction: "none",
    });
    closeTo(weighted.arraySync(), [2 * ln2, 2 * ln2]);
    const smooth = crossEntropyLoss(logits(), target, { labelSmoothing: 1, reduction: "none" });
    closeTo(smooth.arraySync(), [first, ln2]);
  });

  test("agree with class indices where they are certain", () => {
    const x = randn([5, 4, 3]);
    const index = tensor(
      Array.from({ length: 5 }, (_, i) => [i % 4, (i + 1) % 4, (i * 2) % 4]),
      int32,
    );
    const certain = index.oneHot(4).transpose(1, 2).to("float32");
    const options = { labelSmoothing: 0.3 };
    const indices = crossEntropyLoss(x, index, options).itemSync();
    expect(crossEntropyLoss(x, certain, options).itemSync()).toBeCloseTo(indices, 5);
  });
});

describe("nllLoss", () => {
  test("is the cross-entropy without the softmax", () => {
    const target = tensor([0, 1], int32);
    const options = { weight: tensor([1, 3]), reduction: "none" } as const;
    const losses = nllLoss(logits().logSoftmax(1), target, options);
    closeTo(losses.arraySync(), [2 * ln2, 3 * ln2]);
    closeTo(new NLLLoss().forward(logits().logSoftmax(1), target).arraySync(), [1.5 * ln2]);
  });
});

test("gradcheck in float64, with all options", async () => {
  const x = randn([4, 3], { dtype: "float64", requiresGrad: true });
  const weight = tensor([0.5, 1, 2], { dtype: "float64" });
  const target = tensor([0, 2, 1, 1], int32);
  const options = { weight, ignoreIndex: 2, labelSmoothing: 0.1 };
  expect(await gradcheck((logits) => crossEntropyLoss(logits, target, options), [x])).toBe(true);
});

test("the weight is a buffer of the module", () => {
  const criterion = new CrossEntropyLoss({ weight: tensor([1, 2]) });
  expect(Object.keys(criterion.stateDict())).toEqual(["weight"]);
  expect(criterion.parameters()).toEqual([]);
});

describe("errors", () => {
  const x = zeros([2, 3]);

  test("an index out of range: at once where it is at hand, else when the loss is computed", () => {
    expect(() => crossEntropyLoss(x, tensor([0, 3], int32))).toThrow(IndexError);
    expect(() => crossEntropyLoss(x, tensor([0, 3], int32))).toThrow(
      "crossEntropyLoss: an index must be in 0 … 2, got 3.",
    );
    expect(() => nllLoss(x, tensor([-1, 0], int32))).toThrow(
      "nllLoss: an index must be in 0 … 2, got -1.",
    );
    const computed = tensor([0, 2], int32).add(1);
    const losses = crossEntropyLoss(x, computed, { reduction: "none" });
    expect(() => losses.dataSync()).toThrow("crossEntropyLoss: an index must be in 0 … 2, got 3.");
    expect(() => crossEntropyLoss(x, computed).itemSync()).toThrow(IndexError);
    const last = crossEntropyLoss(x, computed, { ignoreIndex: 3, reduction: "none" });
    expect(last.dataSync()[1]).toBe(0);
  });

  test("an ignored index may be any number, also for uint8", () => {
    const target = tensor([255, 1], { dtype: "uint8" });
    closeTo(crossEntropyLoss(logits(), target, { ignoreIndex: 255 }).arraySync(), [ln2]);
    expect(() => crossEntropyLoss(logits(), target)).toThrow("0 … 1, got 255.");
  });

  test("lists in the place of tensors", () => {
    for (const fn of [crossEntropyLoss, nllLoss]) {
      expect(() => Reflect.apply(fn, undefined, [zeros([1, 2]), [0]])).toThrow(
        `${fn.name}: it must be given a tensor, got an array. Make one with tensor(…).`,
      );
    }
  });

  test("shapes and dtypes", () => {
    const shares = tensor([[1, 0]], int32);
    expect(() => crossEntropyLoss(zeros([1, 2]), shares)).toThrow(
      'crossEntropyLoss: probabilities must be floating, got int32. Convert them with to("float32").',
    );
    expect(() => crossEntropyLoss(x, tensor([1, 2, 0], int32))).toThrow(ShapeError);
    expect(() => crossEntropyLoss(x, tensor([1, 2, 0], int32))).toThrow(
      "class indices must be [2] for scores [2, 3], got [3].",
    );
    expect(() => crossEntropyLoss(x, tensor([1, 2]))).toThrow(DTypeError);
    expect(() => crossEntropyLoss(x, tensor([1, 2]))).toThrow('Convert them with to("int32")');
    expect(() => crossEntropyLoss(zeros([]), tensor(0, int32))).toThrow(
      "scores must be [N, C, …] or [C]",
    );
    const weight = zeros([2]);
    expect(() => crossEntropyLoss(x, tensor([0, 1], int32), { weight })).toThrow(
      "weight must have one value for each of 3 classes, got [2].",
    );
  });

  test("options", () => {
    const target = tensor([0, 1], int32);
    expect(() => crossEntropyLoss(x, target, { labelSmoothing: 1.5 })).toThrow(
      "labelSmoothing must be in [0, 1], got 1.5.",
    );
    expect(() => Reflect.construct(CrossEntropyLoss, [{ reduction: "all" }])).toThrow(
      "CrossEntropyLoss: reduction must be mean, sum or none, got all.",
    );
  });
});
