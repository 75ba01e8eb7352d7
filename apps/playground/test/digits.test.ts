import { CNN, Conv2d } from "@gradloom/cnn";
import { manualSeed } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { classify, confusionMatrix, fitClassifier } from "../src/classification.ts";
import { confusionFigure } from "../src/confusion-figure.ts";
import { featuresFigure, filtersFigure, predictionsFigure } from "../src/digit-figures.ts";
import { choose, countOf, loadDigits, shifted } from "../src/digits.ts";
import { toPng } from "../src/png.ts";

const { training, test: held } = await loadDigits(0, 2000);

describe("digits", () => {
  test("are 10,000, divided without overlap, in an order that the seed fixes", async () => {
    expect(countOf(training) + countOf(held)).toBe(10_000);
    const again = await loadDigits(0, 2000);
    expect(again.test.labels).toEqual(held.labels);
    const counts = new Array<number>(10).fill(0);
    for (const label of training.labels) counts[label] += 1;
    for (const count of counts) expect(count).toBeGreaterThan(600);
  });

  test("keep their ink when they are moved, unless it leaves the paper", () => {
    const ink = (pictures: Float32Array) => pictures.reduce((a, b) => a + b, 0);
    const some = choose(held, [0, 1, 2, 3]);
    const moved = shifted(some, [2, 2, -2, 1, 0, 2, 1, -1]);
    expect(moved.labels).toEqual(some.labels);
    expect(moved.pictures).not.toEqual(some.pictures);
    expect(ink(moved.pictures) / ink(some.pictures)).toBeCloseTo(1, 1);
    expect(shifted(some, new Array<number>(8).fill(0)).pictures).toEqual(some.pictures);
  });

  test("are learned: an epoch on 2,000 of them leaves few mistakes, and the pictures can be drawn", async () => {
    manualSeed(0);
    const model = new CNN({
      inChannels: 1,
      numClasses: 10,
      channels: [8, 16],
      hidden: 32,
      dropout: 0,
      poolSize: 4,
    });
    const some = choose(
      training,
      Array.from({ length: 2000 }, (_, i) => i),
    );
    const steps: number[] = [];
    const losses = await fitClassifier(model, some, {
      epochs: 2,
      batchSize: 40,
      lr: 0.01,
      seed: 0,
      signal: new AbortController().signal,
      onStep: (step) => steps.push(step),
    });
    expect(steps).toHaveLength(100);
    expect(losses.at(-1)).toBeLessThan(losses[0] / 3);
    const few = choose(
      held,
      Array.from({ length: 500 }, (_, i) => i),
    );
    const predicted = await classify(model, few);
    const right = predicted.filter((digit, i) => digit === few.labels[i]).length / 500;
    expect(right).toBeGreaterThan(0.85);
    const matrix = confusionMatrix(few.labels, predicted, 10);
    expect(matrix.flat().reduce((a, b) => a + b)).toBe(500);
    expect(matrix.reduce((sum, row, i) => sum + row[i], 0)).toBe(right * 500);
    const [{ weight }] = model.modules().filter((module) => module instanceof Conv2d);
    for (const svg of [
      predictionsFigure(few, predicted, right),
      confusionFigure(matrix, { what: "digits", labels: "0 to 9" }),
      await filtersFigure(weight),
      await featuresFigure(model, few, 0),
    ]) {
      expect((await toPng(svg)).subarray(1, 4)).toEqual(new TextEncoder().encode("PNG"));
    }
  });
});
