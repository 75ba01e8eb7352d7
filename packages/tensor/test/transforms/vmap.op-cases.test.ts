import { beforeAll, describe, expect, test } from "vitest";
import { setBackend, type Tensor, vmap } from "../../src/index.ts";
import { stack } from "../../src/ops/index.ts";
import { type OpCase, type OpName, opCases } from "../op-cases.ts";
import { arrange, largestDifference, real, valuesOf } from "../samples.ts";

const names = Object.keys(opCases) as OpName[];
const size = 3;

/** The inputs of some examples. The first one is the same for all if `shared`. */
function examplesOf({ inputs, order }: OpCase, shared: boolean): Tensor[][] {
  return inputs.map((sample, i) => {
    const dtype = sample.dtype === "real" ? "float64" : sample.dtype;
    return Array.from({ length: size }, (_, example) => {
      const values = valuesOf(sample, i + (shared && i === 0 ? 0 : 20 * example));
      const x = arrange(values, sample.shape, dtype, "contiguous");
      return sample.dtype === "real" && order > 0 ? x.requiresGrad_() : x;
    });
  });
}

/** Outputs of all examples, and gradients of their sum with fixed weights. */
function evaluate(opCase: OpCase, shared: boolean, batched: boolean): number[][] {
  const examples = examplesOf(opCase, shared);
  const leaves = examples.map((list, i) => (shared && i === 0 ? [list[0]] : list));
  let outputs: Tensor[];
  if (batched) {
    const inDims = leaves.map((list) => (list.length === 1 ? null : 0));
    const args = leaves.map((list) => (list.length === 1 ? list[0] : stack(list)));
    const call = (...inputs: readonly Tensor[]) => [opCase.call(...inputs)].flat();
    outputs = vmap(call, { inDims, randomness: "same" })(...args);
  } else {
    const results = Array.from({ length: size }, (_, example) => {
      const inputs = leaves.map((list) => list[list.length === 1 ? 0 : example]);
      return [opCase.call(...inputs)].flat();
    });
    outputs = results[0].map((_, k) => stack(results.map((result) => result[k])));
  }
  if (opCase.order > 0) {
    const losses = outputs
      .filter(({ requiresGrad }) => requiresGrad)
      .map((output, i) => {
        const weights = valuesOf(real(output.shape, 0.5, 1.5), 100 + i);
        return output.mul(arrange(weights, output.shape, "float64", "contiguous")).sum();
      });
    losses.reduce((a, b) => a.add(b)).backward();
  }
  const gradients = leaves.flat().flatMap(({ grad }) => grad ?? []);
  return [...outputs, ...gradients].map((tensor) => [...tensor.dataSync()]);
}

/** Its cases start a generator anew in each call: a loop draws the same mask for all, as `"same"` does once. */
const excluded: readonly string[] = ["dropout"];

// What is recorded is the same for all backends; this one has a kernel for all of it.
beforeAll(() => setBackend("js"));

describe("vmap of each operation is the operation on each example", () => {
  test.each(names.filter((name) => !excluded.includes(name)))("%s", (name) => {
    opCases[name].forEach((opCase, index) => {
      for (const shared of opCase.inputs.length > 1 ? [false, true] : [false]) {
        const expected = evaluate(opCase, shared, false);
        evaluate(opCase, shared, true).forEach((values, i) => {
          const difference = largestDifference(
            Float64Array.from(values),
            Float64Array.from(expected[i]),
            1e-10,
            1e-10,
          );
          const text = `${name} case ${index}${shared ? ", first shared" : ""}, result ${i}`;
          expect(difference === undefined, `${text}: ${difference}`).toBe(true);
        });
      }
    });
  });
});
