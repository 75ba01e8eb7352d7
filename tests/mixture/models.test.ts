import { GPT } from "@gradloom/gpt";
import { auxLossOf, MoE } from "@gradloom/moe";
import { manualSeed, randint } from "@gradloom/tensor";
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
