import { tensor } from "@gradloom/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crossEntropyLoss } from "../src/index.ts";

const problem = fc
  .record({
    rows: fc.integer({ min: 1, max: 6 }),
    classes: fc.integer({ min: 1, max: 5 }),
    smoothing: fc.constantFrom(0, 0.25, 1),
    seed: fc.infiniteStream(fc.double({ min: -50, max: 50, noNaN: true })),
  })
  .map(({ rows, classes, smoothing, seed }) => ({
    smoothing,
    logits: Array.from({ length: rows }, () => [...seed.take(classes)]),
    weight: [...seed.take(classes)].map((w) => Math.abs(w) / 25 + 0.1),
    // −1 stands for what is ignored.
    target: [...seed.take(rows)].map((t) => (Math.floor(Math.abs(t)) % (classes + 1)) - 1),
  }));

/** The definition, in float64. */
function reference(x: readonly number[], y: number, w: readonly number[], s: number): number {
  const largest = Math.max(...x);
  const logSum = largest + Math.log(x.reduce((sum, v) => sum + Math.exp(v - largest), 0));
  const terms = x.map((v, c) => w[c] * (logSum - v));
  return (1 - s) * terms[y] + (s / x.length) * terms.reduce((a, b) => a + b, 0);
}

test("agrees with its definition, for every reduction", () => {
  fc.assert(
    fc.property(problem, ({ logits, weight, target, smoothing }) => {
      const run = (reduction: "none" | "sum" | "mean") => [
        ...crossEntropyLoss(
          tensor(logits, { dtype: "float64" }),
          tensor(target, { dtype: "int32" }),
          {
            weight: tensor(weight, { dtype: "float64" }),
            ignoreIndex: -1,
            labelSmoothing: smoothing,
            reduction,
          },
        ).dataSync(),
      ];
      const losses = target.map((y, i) => (y < 0 ? 0 : reference(logits[i], y, weight, smoothing)));
      const sum = losses.reduce((a, b) => a + b, 0);
      const counted = target.reduce((total, y) => total + (y < 0 ? 0 : weight[y]), 0);
      run("none").forEach((loss, i) => {
        expect(loss).toBeCloseTo(losses[i], 9);
      });
      expect(run("sum")[0]).toBeCloseTo(sum, 8);
      if (counted > 0) expect(run("mean")[0]).toBeCloseTo(sum / counted, 8);
      else expect(run("mean")[0]).toBeNaN();
    }),
    { numRuns: 40, seed: 1 },
  );
});
