import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  AnomalyError,
  compile,
  grad,
  noGrad,
  setDetectAnomaly,
  Tensor,
  tensor,
  vmap,
} from "../src/index.ts";
import { type OpName, opCases } from "./op-cases.ts";
import { arrange, valuesOf } from "./samples.ts";

beforeEach(() => setDetectAnomaly(true));
afterEach(() => setDetectAnomaly(false));

/** A function of its own, so that its name is in the stack where it recorded something. */
function rootOf(x: Tensor): Tensor {
  return x.sqrt();
}

function errorOf(fn: () => unknown): AnomalyError {
  try {
    fn();
  } catch (error) {
    if (error instanceof AnomalyError) return error;
    throw error;
  }
  throw new Error("no anomaly was found");
}

describe("setDetectAnomaly", () => {
  test("finds an infinity where it appears", () => {
    const error = errorOf(() =>
      tensor([
        [1, 2],
        [0, 0],
      ]).log(),
    );
    expect(error.message).toMatch(
      /^log: the result must be finite, got -Infinity at \[1\]\[0\] of \[2, 2\] \(2 of 4 elements\), although nothing that it was made of is infinite\. Line: \S*.*anomaly\.test\.ts:\d+:\d+\)?\.$/,
    );
    expect(error.op).toBe("log");
    expect(error.module).toBeUndefined();
  });

  test("finds a NaN that is made of infinities, and lets both pass through", () => {
    const x = tensor([Number.POSITIVE_INFINITY, 1]);
    expect(x.mul(2).exp().dataSync()[0]).toBe(Number.POSITIVE_INFINITY);
    expect(errorOf(() => x.sub(x)).message).toContain(
      "sub: the result must be finite, got NaN at [0] of [2] (1 of 2 elements), although nothing that it was made of is NaN.",
    );
    expect(tensor([Number.NaN]).add(1).dataSync()[0]).toBeNaN();
    // An infinity that is meant: what is hidden from attention.
    const scores = tensor([1, 2]).maskedFill(tensor([false, true]), Number.NEGATIVE_INFINITY);
    expect(scores.softmax(0).arraySync()).toEqual([1, 0]);
  });

  test("finds a gradient, and where the operation was recorded", () => {
    const x = tensor([4, 0], { requiresGrad: true });
    const y = rootOf(x).mul(2).sum();
    const { message, op } = errorOf(() => y.backward());
    expect(message).toContain(
      'backward: the gradient that "sqrt" gives to its input 0 must be finite, got Infinity at [1] of [2] (1 of 2 elements), although nothing that it was made of is infinite. Line: ',
    );
    expect(message).toContain('"sqrt" was recorded here:\n');
    expect(message).toMatch(
      /is infinite\. Line: rootOf \(.*anomaly\.test\.ts:\d+:\d+\)\. "sqrt" was/,
    );
    expect(op).toBe("sqrt");
  });

  test("finds a gradient of a graph that was recorded before", () => {
    setDetectAnomaly(false);
    const x = tensor([0], { requiresGrad: true });
    const y = rootOf(x).sum();
    setDetectAnomaly(true);
    expect(errorOf(() => y.backward()).message).toContain("recorded before setDetectAnomaly(true)");
  });

  test("finds it in functions that are compiled, mapped or differentiated", () => {
    const x = tensor([[1, 0]]);
    expect(errorOf(() => compile((a: Tensor) => a.log())(x)).op).toBe("log");
    expect(errorOf(() => grad((a: Tensor) => rootOf(a).sum())(x)).op).toBe("sqrt");
    const { message } = errorOf(() => vmap((a: Tensor) => rootOf(a).reciprocal())(x));
    expect(message).toContain(
      "reciprocal: the result inside of vmap() must be finite, got Infinity at [0][1] of [1, 2]",
    );
    expect(message).toContain("anomaly.test.ts");
  });

  test("finds it in a loop that trains, at the step where it happens", () => {
    const w = new Tensor(tensor([3])).requiresGrad_();
    const steps = () => {
      for (let i = 0; i < 9; i++) {
        w.grad = null;
        w.log().sum().backward();
        noGrad(() => w.assign(w.sub(w.grad!.mul(6))));
      }
    };
    // 3 → 1 → -5
    expect(errorOf(steps).message).toContain("log: the result must be finite, got NaN at [0]");
    expect(w.dataSync()[0]).toBe(-5);
  });

  test("says nothing when it is off", () => {
    setDetectAnomaly(false);
    const x = tensor([0], { requiresGrad: true });
    x.log().sum().backward();
    expect(x.grad!.dataSync()[0]).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("raises no false alarm in the values and gradients of", () => {
  const names = Object.keys(opCases) as OpName[];
  test.each(names)("%s", (name) => {
    for (const { inputs, call, order } of opCases[name]) {
      if (order === 0) continue;
      const tensors = inputs.map((sample, i) => {
        const dtype = sample.dtype === "real" ? "float64" : sample.dtype;
        const x = arrange(valuesOf(sample, i), sample.shape, dtype, "contiguous");
        return sample.dtype === "real" ? x.requiresGrad_() : x;
      });
      const outputs = [call(...tensors)].flat().filter(({ requiresGrad }) => requiresGrad);
      outputs
        .map((output) => output.sum())
        .reduce((a, b) => a.add(b))
        .backward();
      for (const { grad: gradient } of tensors) gradient?.dataSync();
    }
  });
});
