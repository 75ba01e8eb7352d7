import {
  ArgumentError,
  manualSeed,
  noGrad,
  randn,
  ShapeError,
  StateError,
  type Tensor,
  tensor,
  zeros,
} from "@gradloom/tensor";
import { expect, test } from "vitest";
import {
  auxLossOf,
  balanceLoss,
  Expert,
  loadStatistics,
  MoE,
  TopKRouter,
  zLoss,
} from "../src/index.ts";

const numbers = (x: Tensor): number[] => Array.from(x.dataSync());

function distance(a: Tensor, b: Tensor): number {
  return a.sub(b).abs().max().itemSync();
}

/** What the definition says: every expert computes every token. */
function dense(moe: MoE, x: Tensor): Tensor {
  const { weights, indices } = moe.router.forward(x);
  let y: Tensor = zeros([x.shape[0], moe.outputDim]);
  for (let e = 0; e < moe.numExperts; e++) {
    const [up, down] = [moe.experts.upWeight, moe.experts.downWeight].map((w) => w.select(0, e));
    const [upBias, downBias] = [moe.experts.upBias, moe.experts.downBias].map((b) =>
      b.select(0, e),
    );
    const out = x.matmul(up).add(upBias).gelu().matmul(down).add(downBias);
    y = y.add(out.mul(indices.eq(e).where(weights, 0).sum(1, { keepdim: true })));
  }
  return moe.shared === undefined ? y : y.add(moe.shared.forward(x));
}

test.each([
  [2, 4, 0, 13],
  [1, 3, 0, 8],
  [3, 3, 1, 20],
  [2, 8, 2, 3],
])(
  "top %i of %i experts, %i shared, for %i tokens: what all experts give, gradients too",
  (topK, numExperts, sharedExperts, count) => {
    manualSeed(topK + numExperts);
    const moe = new MoE({
      inputDim: 6,
      hiddenDim: 10,
      outputDim: 5,
      numExperts,
      topK,
      sharedExperts,
    });
    const x = randn([count, 6], { requiresGrad: true });
    const upstream = randn([count, 5]);
    const leaves = [x, ...moe.parameters()];
    const gradients = (y: Tensor): Tensor[] => {
      for (const leaf of leaves) leaf.grad = null;
      y.mul(upstream).sum().backward();
      return leaves.map((leaf) => (leaf.grad ?? zeros(leaf.shape)).clone());
    };
    const [sparse, full] = [moe.forward(x), dense(moe, x)];
    expect(distance(sparse, full)).toBeLessThan(1e-5);
    const expected = gradients(full);
    gradients(sparse).forEach((gradient, i) => {
      expect(distance(gradient, expected[i])).toBeLessThan(1e-4);
    });
  },
);

test("an expert without tokens gets zero gradients", () => {
  const moe = new MoE({ inputDim: 2, hiddenDim: 3, numExperts: 3, topK: 1 });
  noGrad(() =>
    moe.router.gate.weight.assign(
      tensor([
        [5, 5],
        [0, 0],
        [-5, -5],
      ]),
    ),
  );
  const y = moe.forward(
    tensor([
      [1, 1],
      [2, 1],
      [-1, -1],
    ]),
  );
  expect(numbers(moe.lastRouting!.load)).toEqual([2, 0, 1]);
  y.sum().backward();
  const { upWeight, downBias } = moe.experts;
  expect(numbers(upWeight.grad!.select(0, 1))).toEqual([0, 0, 0, 0, 0, 0]);
  expect(numbers(downBias.grad!)).toEqual([2, 2, 0, 0, 1, 1]);
});

test("routing says who got what, in the shape of the input", () => {
  manualSeed(2);
  const moe = new MoE({ inputDim: 4, hiddenDim: 8, numExperts: 4, topK: 2 });
  const y = moe.forward(randn([2, 5, 4]));
  expect(y.shape).toEqual([2, 5, 4]);
  const { weights, indices, load, dropped } = moe.lastRouting!;
  expect([weights.shape, indices.shape]).toEqual([
    [2, 5, 2],
    [2, 5, 2],
  ]);
  for (const sum of numbers(weights.sum(-1))) expect(sum).toBeCloseTo(1, 5);
  const counts = [0, 0, 0, 0];
  for (const expert of numbers(indices)) counts[expert]++;
  expect(numbers(load)).toEqual(counts);
  expect(dropped.itemSync()).toBe(0);
});

test("beyond its capacity an expert drops tokens: the last ones of each choice, and they add nothing", () => {
  const moe = new MoE({ inputDim: 2, hiddenDim: 3, numExperts: 2, topK: 1, capacityFactor: 1 });
  noGrad(() =>
    moe.router.gate.weight.assign(
      tensor([
        [1, 0],
        [0, 1],
      ]),
    ),
  );
  const x = tensor([
    [2, 0],
    [3, 0],
    [4, 0],
    [0, 1],
  ]);
  const y = moe.forward(x);
  expect(numbers(moe.lastRouting!.load)).toEqual([3, 1]);
  expect(moe.lastRouting!.dropped.itemSync()).toBe(1);
  const kept = dense(moe, x);
  expect(distance(y.slice(0, 0, 2), kept.slice(0, 0, 2))).toBeLessThan(1e-6);
  expect(numbers(y.select(0, 2).abs())).toEqual([0, 0]);
  expect(distance(y.select(0, 3), kept.select(0, 3))).toBeLessThan(1e-6);
  y.sum().backward();
  expect(moe.experts.downBias.grad!.arraySync()).toEqual([
    [2, 2],
    [1, 1],
  ]);
});

test("what an expert makes of others does not reach a token that is dropped", () => {
  const moe = new MoE({ inputDim: 2, hiddenDim: 3, numExperts: 2, topK: 1, capacityFactor: 1 });
  noGrad(() => {
    moe.router.gate.weight.assign(
      tensor([
        [1, 0],
        [0, 0],
      ]),
    );
    moe.experts.downBias.assign(tensor([Number.NaN, Number.NaN, 0, 0]).reshape([2, 2]));
  });
  const y = moe.forward(
    tensor([
      [2, 0],
      [3, 0],
      [4, 0],
    ]),
  );
  expect(moe.lastRouting!.dropped.itemSync()).toBe(1);
  expect(numbers(y.select(0, 0))).toEqual([Number.NaN, Number.NaN]);
  expect(numbers(y.select(0, 2))).toEqual([0, 0]);
});

test.each([Number.POSITIVE_INFINITY, 1])(
  "a batch without tokens gives none, losses of 0 and gradients of 0, capacityFactor %d",
  (capacityFactor) => {
    const moe = new MoE({ inputDim: 4, hiddenDim: 5, numExperts: 3, topK: 2, capacityFactor });
    const y = moe.forward(zeros([0, 4]));
    expect(y.shape).toEqual([0, 4]);
    expect(moe.auxLoss.itemSync()).toBe(0);
    y.sum().add(moe.auxLoss).backward();
    for (const [name, { grad }] of moe.namedParameters()) {
      expect([name, grad?.abs().sum().itemSync()]).toEqual([name, 0]);
    }
  },
);

test("the losses are what their formulas say", () => {
  const even = zeros([4, 2]);
  expect(balanceLoss(even, tensor([2, 2]).to("int32")).itemSync()).toBeCloseTo(1, 6);
  const sure = tensor([
    [30, 0],
    [30, 0],
  ]);
  expect(balanceLoss(sure, tensor([2, 0]).to("int32")).itemSync()).toBeCloseTo(2, 6);
  expect(zLoss(even).itemSync()).toBeCloseTo(Math.log(2) ** 2, 6);
  const moe = new MoE({
    inputDim: 2,
    hiddenDim: 3,
    numExperts: 4,
    topK: 2,
    balanceWeight: 0.5,
    zWeight: 0.25,
  });
  moe.forward(randn([9, 2]));
  const routing = moe.lastRouting!;
  const sum = 0.5 * routing.balanceLoss.itemSync() + 0.25 * routing.zLoss.itemSync();
  expect(moe.auxLoss.itemSync()).toBeCloseTo(sum, 5);
  expect(auxLossOf(moe).itemSync()).toBeCloseTo(sum, 5);
});

test("noise disturbs training, not evaluation; learned noise has a gradient", () => {
  manualSeed(1);
  for (const noise of [true, 1]) {
    const router = new TopKRouter(3, 4, 2, { noise });
    const x = randn([5, 3]);
    const [one, two] = [router.forward(x).logits, router.forward(x).logits];
    expect(distance(one, two)).toBeGreaterThan(0.01);
    router.eval();
    expect(distance(router.forward(x).logits, router.forward(x).logits)).toBe(0);
  }
  const router = new TopKRouter(3, 4, 2, { noise: true });
  router
    .forward(randn([5, 3]))
    .weights.select(1, 0)
    .sum()
    .backward();
  expect(router.noiseWeight!.grad!.abs().sum().itemSync()).toBeGreaterThan(0);
});

test("without normalisation the weights are the experts' probabilities", () => {
  const router = new TopKRouter(3, 4, 1, { normalize: false });
  const x = randn([6, 3]);
  const { weights, logits } = router.forward(x);
  expect(distance(weights, logits.softmax(-1).max(1, { keepdim: true }).values)).toBeLessThan(1e-6);
});

test("experts can be taken out and put in one by one", () => {
  const moe = new MoE({ inputDim: 3, hiddenDim: 4, outputDim: 2, numExperts: 2, topK: 1 });
  const experts = [0, 1].map(() => new Expert(3, 4, 2));
  moe.experts.assign(experts);
  const x = randn([5, 3]);
  experts.forEach((expert, i) => {
    expect(distance(moe.experts.at(i).forward(x), expert.forward(x))).toBe(0);
  });
  expect(distance(moe.forward(x), dense(moe, x))).toBeLessThan(1e-5);
  moe.to("float64");
  const [first] = experts;
  expect(distance(moe.experts.at(0).forward(x), first.forward(x))).toBeLessThan(1e-6);
  expect(moe.experts.at(0).up.weight.dtype).toBe("float64");
  expect(() => moe.experts.assign([])).toThrow(
    "Experts: there must be 2 experts, got 0. Make as many.",
  );
});

test("load statistics", () => {
  expect(loadStatistics([2, 2])).toEqual({
    fractions: [0.5, 0.5],
    imbalance: 1,
    entropy: 1,
    unused: 0,
  });
  const uneven = loadStatistics([4, 0]);
  expect([uneven.imbalance, uneven.entropy, uneven.unused]).toEqual([2, 0, 1]);
  expect(() => loadStatistics([0, 0])).toThrow(ArgumentError);
});

test("what does not fit is refused", () => {
  const sizes = { inputDim: 2, hiddenDim: 3, numExperts: 2, topK: 1 };
  expect(() => new MoE({ ...sizes, topK: 3 })).toThrow(
    "TopKRouter: topK must be at most numExperts = 2, got 3.",
  );
  expect(() => new MoE({ ...sizes, hiddenDim: 0 })).toThrow(ArgumentError);
  expect(() => new MoE({ ...sizes, capacityFactor: 0 })).toThrow(
    "MoE: capacityFactor must be more than 0, got 0.",
  );
  expect(() => new MoE({ ...sizes, sharedExperts: 0.5 })).toThrow(ArgumentError);
  expect(() => new MoE({ ...sizes, noise: -1 })).toThrow(ArgumentError);
  const noise = "learned" as unknown as boolean; // what only JavaScript lets pass
  expect(() => new MoE({ ...sizes, noise })).toThrow("got learned.");
  const moe = new MoE(sizes);
  expect(() => moe.auxLoss).toThrow(StateError);
  expect(() => moe.forward(randn([4, 3]))).toThrow(ShapeError);
  expect(() => auxLossOf(new Expert(1, 1, 1))).toThrow(ArgumentError);
});
