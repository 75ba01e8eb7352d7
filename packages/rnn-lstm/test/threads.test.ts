import { grad, manualSeed, noGrad, randn, setNumThreads, type Tensor } from "@gradloom/tensor";
import { describe, expect, it } from "vitest";
import { GRU, LSTM, LSTMCell } from "../src/index.ts";

// Wide enough that threads share a step by its columns, where they divide them, and by its rows, where they do not.
const hidden = 192;

/** Outputs and gradients of all parameters on so many threads. */
function results(layer: LSTM | GRU, x: Tensor, threads: number): Float32Array[] {
  setNumThreads(threads);
  const run = () => {
    const [output] = layer.forward(x);
    return [output, ...grad(output.square().sum(), layer.parameters())];
  };
  // Threads start once there has been work for them.
  run();
  return run().map((tensor) => tensor.dataSync() as Float32Array);
}

describe("a recurrent network on threads", () => {
  it.each([
    ["LSTM", () => new LSTM({ inputSize: 16, hiddenSize: hidden })],
    ["GRU", () => new GRU({ inputSize: 16, hiddenSize: hidden })],
  ])("%s gives the same bits on any number of them", (_, create) => {
    manualSeed(1);
    const layer = create();
    const x = randn([32, 4, 16]);
    const alone = results(layer, x, 1);
    for (const threads of [2, 3]) expect(results(layer, x, threads)).toEqual(alone);
  });

  it("steps like the cell, again and again", () => {
    setNumThreads(2);
    manualSeed(2);
    const layer = new LSTM({ inputSize: 16, hiddenSize: hidden, bias: false });
    const cell = new LSTMCell(16, hidden, { bias: false });
    noGrad(() => {
      cell.weightIh.assign(layer.weightIhL0);
      cell.weightHh.assign(layer.weightHhL0);
    });
    for (let round = 0; round < 3; round++) {
      const x = randn([32, 9, 16]);
      noGrad(() => {
        const [output] = layer.forward(x);
        let state: [Tensor, Tensor] | undefined;
        for (let t = 0; t < 9; t++) {
          state = cell.forward(x.select(1, t), state);
          const error = output.select(1, t).sub(state[0]).abs().max().itemSync();
          expect(error).toBeLessThan(1e-5);
        }
      });
      // Other weights: what was packed of those before must not serve any more.
      noGrad(() => {
        layer.weightHhL0.assign(layer.weightHhL0.mul(0.5));
        cell.weightHh.assign(cell.weightHh.mul(0.5));
      });
    }
  });
});
