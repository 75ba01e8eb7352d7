import { GPT } from "@gradloom/gpt";
import { auxLossOf, MoE } from "@gradloom/moe";
import { manualSeed, randint, randn } from "@gradloom/tensor";
import { EncoderLayer, Transformer } from "@gradloom/transformer";
import { expect, test } from "vitest";

const feedForward = (dModel: number) =>
  new MoE({ inputDim: dModel, hiddenDim: 2 * dModel, numExperts: 4, topK: 2 });

test("a GPT takes mixtures for its feed-forwards: each runs, and gets gradients", () => {
  manualSeed(1);
  const sizes = { vocabSize: 11, maxSeqLen: 8, dModel: 8, numHeads: 2, numLayers: 2 };
  const model = new GPT({ ...sizes, feedForward });
  const mixtures = model.modules().filter((module) => module instanceof MoE);
  expect(mixtures).toHaveLength(2);

  const logits = model.forward(randint(11, [3, 8]));
  expect(logits.shape).toEqual([3, 8, 11]);
  logits.logsumexp(-1).mean().add(auxLossOf(model)).backward();
  for (const moe of mixtures) {
    expect(moe.lastRouting?.indices.shape).toEqual([3, 8, 2]);
    expect(moe.experts.upWeight.grad?.abs().sum().itemSync()).toBeGreaterThan(0);
    expect(moe.router.gate.weight.grad?.abs().sum().itemSync()).toBeGreaterThan(0);
  }
});

test("a transformer's layer takes one as well", () => {
  manualSeed(2);
  const layer = new EncoderLayer(8, 2, 16, { feedForward: feedForward(8) });
  const y = layer.forward(randn([2, 5, 8]));
  expect(y.shape).toEqual([2, 5, 8]);
  y.square().mean().add(auxLossOf(layer)).backward();
  for (const [name, { grad }] of layer.namedParameters()) {
    expect([name, grad === null]).toEqual([name, false]);
  }
});

test("a whole transformer takes one for each layer, and leaves its initial values alone", () => {
  manualSeed(3);
  const sizes = { srcVocabSize: 7, tgtVocabSize: 7, dModel: 8, numHeads: 2, dropout: 0 };
  const model = new Transformer({
    ...sizes,
    numEncoderLayers: 1,
    numDecoderLayers: 2,
    feedForward,
  });
  const mixtures = model.modules().filter((module) => module instanceof MoE);
  expect(mixtures).toHaveLength(3);
  for (const { experts, router } of mixtures) {
    // Uniform on ±1/√8 and ±1/√16: Xavier's bounds would be others.
    const largest = [experts.upWeight, experts.downWeight, router.gate.weight].map((weight) =>
      weight.abs().max().itemSync(),
    );
    expect(largest[0]).toBeLessThanOrEqual(1 / Math.sqrt(8));
    expect(largest[0]).toBeGreaterThan(0.9 / Math.sqrt(8));
    expect(largest[1]).toBeLessThanOrEqual(1 / Math.sqrt(16));
    expect(largest[1]).toBeGreaterThan(0.9 / Math.sqrt(16));
    expect(largest[2]).toBeLessThanOrEqual(1 / Math.sqrt(8));
  }
  const logits = model.forward(randint(7, [3, 5]), randint(7, [3, 4]));
  expect(logits.shape).toEqual([3, 4, 7]);
  logits.logsumexp(-1).mean().add(auxLossOf(model)).backward();
  for (const [name, { grad }] of model.namedParameters()) {
    expect([name, grad === null]).toEqual([name, false]);
  }
});
