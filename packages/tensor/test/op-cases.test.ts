import { checkProgram, JsBackend } from "@gradloom/backend-js";
import { WasmBackend } from "@gradloom/backend-wasm";
import type { TypedArray } from "@gradloom/engine";
import { beforeAll, describe, expect, test } from "vitest";
import { fromTypedArray } from "../src/create.ts";
import { engine, realize } from "../src/engine.ts";
import { gradcheck, gradgradcheck } from "../src/gradcheck.ts";
import type { Tensor } from "../src/tensor.ts";
import { type OpCase, type OpName, opCases } from "./op-cases.ts";
import {
  arrange,
  type Layout,
  largestDifference,
  layouts,
  real,
  repeatFirst,
  valuesOf,
} from "./samples.ts";

const reals = ["float32", "float64"] as const;
type Real = (typeof reals)[number];

/** Relative and absolute: backends may round differently, and add up in another order. */
const tolerance: Readonly<Record<Real, number>> = { float32: 2e-5, float64: 1e-11 };

const names = Object.keys(opCases) as OpName[];

function inputsOf(
  { inputs, order }: OpCase,
  dtype: Real,
  layout: Layout,
  repeated: boolean,
): Tensor[] {
  return inputs.map((sample, i) => {
    const values = valuesOf(sample, i);
    const tensor = arrange(
      repeated ? repeatFirst(values, sample.shape) : values,
      sample.shape,
      sample.dtype === "real" ? dtype : sample.dtype,
      layout,
    );
    return sample.dtype === "real" && order > 0 ? tensor.requiresGrad_() : tensor;
  });
}

/** The outputs, and the gradients of their sum with fixed weights. */
function evaluate(opCase: OpCase, dtype: Real, layout: Layout, repeated: boolean): TypedArray[] {
  const inputs = inputsOf(opCase, dtype, layout, repeated);
  const outputs = [opCase.call(...inputs)].flat();
  const gradients: Tensor[] = [];
  if (opCase.order > 0) {
    const losses = outputs
      .filter((output) => output.requiresGrad)
      .map((output, i) => {
        const weights = valuesOf(real(output.shape, 0.5, 1.5), 100 + i);
        return output.mul(fromTypedArray(weights, output.shape).to(output.dtype)).sum();
      });
    losses.reduce((a, b) => a.add(b)).backward();
    gradients.push(...inputs.flatMap((input) => input.grad ?? []));
  }
  const all = [...outputs, ...gradients];
  realize(...all);
  return all.map((tensor) => tensor.dataSync());
}

const js = new JsBackend(checkProgram);
const wasm = new WasmBackend();

describe.each(names)("%s", (name) => {
  const cases = opCases[name];
  /** What backend-js gives, by case, dtype and whether values repeat. */
  const expected = new Map<string, TypedArray[]>();
  const keyOf = (index: number, dtype: Real, repeated: boolean) => {
    return `${name} case ${index}, ${dtype}${repeated ? ", repeated" : ""}`;
  };

  beforeAll(() => {
    engine().use(js);
    cases.forEach((opCase, index) => {
      for (const dtype of reals) {
        for (const repeated of dtype === "float32" ? [false, true] : [false]) {
          const values = evaluate(opCase, dtype, "contiguous", repeated);
          expected.set(keyOf(index, dtype, repeated), values);
        }
      }
    });
    engine().use(wasm);
  });

  test.each(layouts)("computes the same on both backends from %s inputs", (layout) => {
    cases.forEach((opCase, index) => {
      const repeated = layout === "expanded";
      for (const dtype of layout === "contiguous" ? reals : (["float32"] as const)) {
        const key = keyOf(index, dtype, repeated);
        const values = expected.get(key)!;
        evaluate(opCase, dtype, layout, repeated).forEach((actual, i) => {
          const difference = largestDifference(
            actual,
            values[i],
            tolerance[dtype],
            tolerance[dtype],
          );
          expect(difference === undefined, `${key}, result ${i}: ${difference}`).toBe(true);
        });
      }
    });
  });

  const differentiable = cases.filter(({ order }) => order > 0);
  test.runIf(differentiable.length > 0)("has gradients that are slopes", async () => {
    for (const opCase of differentiable) {
      const inputs = inputsOf(opCase, "float64", "contiguous", false);
      await expect(gradcheck(opCase.call, inputs)).resolves.toBe(true);
      if (opCase.order === 2) {
        await expect(gradgradcheck(opCase.call, inputs)).resolves.toBe(true);
      }
    }
  });

  const others = cases.filter(({ order }) => order === 0);
  test.runIf(others.length > 0)("requires no gradient where there is none", () => {
    for (const { inputs, call } of others) {
      const tensors = inputs.map((sample, i) => {
        const dtype = sample.dtype === "real" ? "float32" : sample.dtype;
        const tensor = arrange(valuesOf(sample, i), sample.shape, dtype, "contiguous");
        return sample.dtype === "real" ? tensor.requiresGrad_() : tensor;
      });
      for (const output of [call(...tensors)].flat()) expect(output.requiresGrad).toBe(false);
    }
  });
});

test("every operation has a case", () => {
  expect(names.filter((name) => opCases[name].length === 0)).toEqual([]);
});
