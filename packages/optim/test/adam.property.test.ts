import { tensor } from "@gradloom/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Adam, AdamW } from "../src/index.ts";

const problem = fc.record({
  lr: fc.double({ min: 1e-4, max: 1, noNaN: true }),
  betas: fc.tuple(
    fc.double({ min: 0, max: 0.99, noNaN: true }),
    fc.double({ min: 0, max: 0.999, noNaN: true }),
  ),
  weightDecay: fc.constantFrom(0, 0.1),
  amsgrad: fc.boolean(),
  decoupled: fc.boolean(),
  gradients: fc.array(fc.double({ min: -10, max: 10, noNaN: true }), {
    minLength: 1,
    maxLength: 8,
  }),
});

test("agrees with the paper's algorithm, one number at a time in float64", () => {
  fc.assert(
    fc.property(problem, ({ decoupled, gradients, ...options }) => {
      const x = tensor([0.5], { dtype: "float64", requiresGrad: true });
      const optimizer = new (decoupled ? AdamW : Adam)([x], options);
      const {
        lr,
        betas: [beta1, beta2],
        weightDecay,
        amsgrad,
      } = options;
      let [theta, m, v, largest] = [0.5, 0, 0, 0];
      gradients.forEach((gradient, i) => {
        optimizer.zeroGrad();
        x.mul(gradient).sum().backward();
        optimizer.step();

        const g = decoupled ? gradient : gradient + weightDecay * theta;
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * g * g;
        largest = Math.max(largest, v);
        const mHat = m / (1 - beta1 ** (i + 1));
        const vHat = (amsgrad ? largest : v) / (1 - beta2 ** (i + 1));
        if (decoupled) theta -= lr * weightDecay * theta;
        theta -= (lr * mHat) / (Math.sqrt(vHat) + 1e-8);
        expect(x.itemSync()).toBeCloseTo(theta, 9);
      });
    }),
    { numRuns: 40, seed: 1 },
  );
});
