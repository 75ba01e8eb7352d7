import { describe, expect, test } from "vitest";
import { tensor } from "../src/create.ts";
import { memoryStats, realize } from "../src/engine.ts";
import { manualSeed } from "../src/generator.ts";
import { noGrad } from "../src/grad-mode.ts";
import { dropout } from "../src/ops/dropout.ts";
import { rand, randn } from "../src/random.ts";
import { Tensor } from "../src/tensor.ts";

const steps = 10_000;
const megabyte = 2 ** 20;

/** Bytes of the process, without what the garbage collector can take. */
function footprint(): number {
  globalThis.gc!();
  return process.memoryUsage().rss;
}

/** A small network that is trained by hand, as an optimizer does it: momentum and weights are states. */
function trainer(): (lr: number) => Tensor {
  manualSeed(0);
  const weights = [randn([1, 16]), randn([16]), randn([16, 1]), randn([1])].map((x) => {
    return x.mul(0.3).detach().requiresGrad_();
  });
  const momenta = weights.map((weight) => weight.detach().mul(0));
  return (lr) => {
    const data = Float32Array.from({ length: 32 }, (_, i) => i / 16 - 1);
    const x = tensor(data).reshape([32, 1]); // [32, 1]
    const [w1, b1, w2, b2] = weights;
    const hidden = dropout(x.matmul(w1).add(b1).tanh(), 0.1); // [32, 16]
    const loss = hidden.matmul(w2).add(b2).sub(x.square()).square().mean();
    loss.backward();
    noGrad(() => {
      weights.forEach((weight, i) => {
        momenta[i].assign(momenta[i].mul(0.9).add(weight.grad!));
        weight.assign(weight.sub(momenta[i].mul(lr)));
        weight.grad = null;
      });
    });
    realize(...weights);
    return loss;
  };
}

describe("memory", () => {
  test("training compiles nothing after the second step and stays flat after the first 100", () => {
    const step = trainer();
    const first = step(0.01).itemSync();
    step(0.01);
    const { compiledPlans, compiledKernels } = memoryStats();
    let last = first;
    let before = { rss: 0, stats: memoryStats() };
    for (let i = 2; i < steps; i++) {
      // The learning rate changes in each step; some losses are read, others never.
      const loss = step(0.01 / (1 + i / 1000));
      if (i % 10 === 0) last = loss.itemSync();
      if (i === 100) before = { rss: footprint(), stats: memoryStats() };
    }
    const after = { rss: footprint(), stats: memoryStats() };
    expect(last).toBeLessThan(first / 2);
    expect(after.stats).toEqual({ ...before.stats, compiledPlans, compiledKernels });
    expect((after.rss - before.rss) / megabyte).toBeLessThan(24);
  }, 60_000);

  test("values beyond the budget are paged out, and come back", () => {
    const count = 120;
    const large = Array.from({ length: count }, (_, i) => {
      const x = rand([megabyte]).mul(0).add(i); // 4 MB each
      realize(x);
      return x;
    });
    const { memoryBytes, residentBytes } = memoryStats();
    expect(residentBytes).toBeLessThanOrEqual(330 * megabyte);
    expect(memoryBytes).toBeLessThan(450 * megabyte);
    for (const i of [0, 1, count - 1]) expect(large[i].mean().itemSync()).toBe(i);
  }, 60_000);

  test("a model that nobody holds any more costs the next one nothing", async () => {
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    /** Steps of a model of so many parameters, with a gradient and a momentum for each. */
    const train = (count: number) => {
      manualSeed(0);
      const weights = Array.from({ length: count }, () => rand([megabyte]).requiresGrad_());
      const momenta = weights.map((weight) => new Tensor(weight.detach().mul(0)));
      for (let step = 0; step < 3; step++) {
        let loss: Tensor = tensor(0);
        for (const weight of weights) loss = loss.add(weight.square().mean());
        loss.backward();
        noGrad(() => {
          weights.forEach((weight, i) => {
            momenta[i].assign(momenta[i].mul(0.9).add(weight.grad!));
            weight.assign(weight.sub(momenta[i]));
            weight.grad = null;
          });
        });
        realize(...weights);
      }
      return weights[0].mean().itemSync();
    };
    const alone = train(1);
    train(40); // 3 · 160 MB
    await turn();
    expect(train(1)).toBe(alone);
    // It has asked the collector by now; this makes sure of the answer.
    globalThis.gc!();
    await turn();
    expect(memoryStats().residentBytes).toBeLessThan(20 * megabyte);
    expect(train(1)).toBe(alone);
  }, 60_000);
});
