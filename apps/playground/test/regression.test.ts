import { MLP } from "@gradloom/layers";
import { manualSeed } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { InterruptedError, PlaygroundError } from "../src/errors.ts";
import { cosine, fit, minibatches, predict } from "../src/regression.ts";
import { curvePoints, drawSamples, rootMeanSquare, trueCurve } from "../src/samples.ts";

const options = {
  steps: 60,
  batchSize: 32,
  lr: 0.02,
  signal: new AbortController().signal,
  onStep: () => {},
};

async function losses(seed: number): Promise<number[]> {
  manualSeed(seed);
  return fit(new MLP(1, [16], 1), drawSamples(128, 0.05), options);
}

test("training lowers the loss, and the same seed gives the same losses to the bit", async () => {
  const first = await losses(1);
  expect(first).toHaveLength(60);
  expect(first[59]).toBeLessThan(first[0] / 2);
  expect(await losses(1)).toEqual(first);
  expect(await losses(2)).not.toEqual(first);
});

test("each step is reported with its loss", async () => {
  manualSeed(1);
  const seen: [number, number][] = [];
  const onStep = (step: number, loss: number) => void seen.push([step, loss]);
  const result = await fit(new MLP(1, [4], 1), drawSamples(32, 0), {
    ...options,
    steps: 3,
    onStep,
  });
  expect(seen).toEqual(result.map((loss, i) => [i + 1, loss]));
});

test("an aborted run stops, a diverging one fails", async () => {
  const controller = new AbortController();
  const onStep = (step: number) => step === 5 && controller.abort();
  const model = new MLP(1, [4], 1);
  const samples = drawSamples(32, 0);
  const aborted = fit(model, samples, { ...options, signal: controller.signal, onStep });
  await expect(aborted).rejects.toThrow(new InterruptedError("Stopped after step 5."));
  const diverging = fit(model, samples, { ...options, lr: 1e30 });
  await expect(diverging).rejects.toThrow(PlaygroundError);
  await expect(diverging).rejects.toThrow("training diverged. Try a smaller --lr, it is 1e+30.");
});

test("each pass takes every sample once, in a new order, and leaves out what fills no batch", () => {
  manualSeed(1);
  const x = Float32Array.from({ length: 10 }, (_, i) => i);
  const batches = minibatches({ x, y: x.map((value) => -value) }, 4);
  const passes = [0, 1].map(() => {
    const pair = [batches.next().value, batches.next().value];
    for (const batch of pair) expect(batch.y).toEqual(batch.x.map((value) => -value));
    return pair.flatMap((batch) => [...batch.x]);
  });
  for (const pass of passes) expect(new Set(pass).size).toBe(8);
  expect(passes[0]).not.toEqual(passes[1]);
});

test("samples lie around the curve, as far as the noise says", () => {
  manualSeed(1);
  const { x, y } = drawSamples(4000, 0.05);
  expect(Math.min(...x)).toBeGreaterThanOrEqual(-3);
  expect(Math.max(...x)).toBeLessThan(3);
  expect(x.reduce((sum, value) => sum + value, 0) / 4000).toBeCloseTo(0, 0);
  expect(rootMeanSquare(y, Float64Array.from(x, trueCurve))).toBeCloseTo(0.05, 2);
  expect([trueCurve(0), trueCurve(-3), trueCurve(2)]).toEqual([5, 32, 17]);
  expect([curvePoints[0], curvePoints[120], curvePoints[240]]).toEqual([-3, 0, 3]);
});

test("predictions are made without recording gradients", () => {
  const model = new MLP(1, [4], 1);
  expect(predict(model, curvePoints)).toHaveLength(241);
});

test("the learning rate falls along half a cosine", () => {
  expect([0, 0.5, 1].map((progress) => cosine(0.02, progress))).toEqual([
    0.02,
    expect.closeTo(0.01),
    0,
  ]);
});
