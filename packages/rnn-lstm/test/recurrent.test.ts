import { explain, grad, manualSeed, ones, randn, type Tensor, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { GRU, LSTM, RNN } from "../src/index.ts";

const kinds = { RNN, GRU, LSTM };

describe.each(["RNN", "GRU", "LSTM"] as const)("%s", (kind) => {
  /** The plan that computes a sum of all outputs, or its gradients. */
  function planOf(time: number, gradients: boolean) {
    manualSeed(0);
    const network = new kinds[kind]({ inputSize: 3, hiddenSize: 8 });
    const [output] = network.forward(randn([2, time, 3]));
    const wanted = gradients ? grad(output.sum(), network.parameters()) : [output.sum()];
    const sum = wanted.map((part) => part.sum()).reduce((a, b) => a.add(b));
    const [plan] = explain(sum).plans;
    return { plan, kernels: plan.kernels.map(({ kind, operations }) => `${kind} ${operations}`) };
  }

  test.each([false, true])(
    "1,000 steps are the plan of 64, and memory grows with them; gradients: %s",
    (gradients) => {
      const [short, long] = [planOf(64, gradients), planOf(1000, gradients)];
      const loops = short.kernels.filter((kernel) => kernel.startsWith("repeat"));
      expect(loops).toHaveLength(gradients ? 2 : 1);
      // Sums over the time are cut in two where they are long, which is another kernel for each.
      expect(long.kernels.length).toBeLessThanOrEqual(short.kernels.length + 3);
      const growth = long.plan.arenaBytes / short.plan.arenaBytes;
      expect(growth).toBeGreaterThan(1000 / 64 / 1.25);
      expect(growth).toBeLessThan((1000 / 64) * 1.25);
    },
  );

  test("lengths in a tensor are those of a list", () => {
    manualSeed(2);
    const network = new kinds[kind]({ inputSize: 3, hiddenSize: 4, bidirectional: true });
    const x = randn([3, 5, 3]);
    const run = (lengths: number[] | Tensor) => network.forward(x, undefined, { lengths });
    const list = run([2, 5, 1]);
    const given = run(tensor([2, 5, 1], { dtype: "int32" }));
    for (const part of [0, 1] as const) {
      const [a, b] = [list, given].map((result) => [result[part]].flat()[0]);
      expect(a.allclose(b)).toBe(true);
    }
  });

  test("dropout is between layers, in training", () => {
    manualSeed(1);
    const options = { inputSize: 3, hiddenSize: 4, dropout: 1 };
    const [x, other] = [randn([2, 5, 3]), ones([2, 5, 3])];
    const outputs = (numLayers: number, isTraining: boolean) => {
      const network = new kinds[kind]({ ...options, numLayers }).train(isTraining);
      return [x, other].map((input) => network.forward(input)[0]);
    };
    // Nothing of the first layer arrives at the second, whose own outputs are not dropped.
    const [ofX, ofOther] = outputs(2, true);
    expect(ofX.allclose(ofOther)).toBe(true);
    expect(ofX.abs().amin().itemSync()).toBeGreaterThan(0);
    for (const [a, b] of [outputs(2, false), outputs(1, true)]) expect(a.allclose(b)).toBe(false);
  });
});
