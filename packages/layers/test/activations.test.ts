import { ArgumentError, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import {
  activationFunction,
  ELU,
  GELU,
  Hardswish,
  type Layer,
  LeakyReLU,
  LogSoftmax,
  Mish,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from "../src/index.ts";

// import torch, torch.nn as nn                                                    # PyTorch 1.13
// x = torch.tensor([-2., -0.5, 0., 1., 4.])
// for m in [nn.ReLU(), nn.LeakyReLU(), nn.LeakyReLU(0.2), nn.ELU(), nn.ELU(0.5), nn.GELU(), …]:
//     print(m(x).tolist())
const x = [-2, -0.5, 0, 1, 4];
const cases: [Layer, number[]][] = [
  [new ReLU(), [0, 0, 0, 1, 4]],
  [new LeakyReLU(), [-0.02, -0.005, 0, 1, 4]],
  [new LeakyReLU({ negativeSlope: 0.2 }), [-0.4, -0.1, 0, 1, 4]],
  [new ELU(), [-0.86466473, -0.39346933, 0, 1, 4]],
  [new ELU({ alpha: 0.5 }), [-0.43233237, -0.19673467, 0, 1, 4]],
  [new GELU(), [-0.0455001, -0.15426879, 0, 0.84134471, 3.99987316]],
  [new GELU({ approximate: "tanh" }), [-0.04540229, -0.154286, 0, 0.84119201, 3.9999299]],
  [new SiLU(), [-0.23840584, -0.18877034, 0, 0.7310586, 3.92805505]],
  [new Sigmoid(), [0.11920292, 0.37754068, 0.5, 0.7310586, 0.98201376]],
  [new Tanh(), [-0.96402758, -0.46211717, 0, 0.76159418, 0.99932933]],
  [new Softplus(), [0.126928, 0.47407699, Math.LN2, 1.31326163, 4.01814985]],
  [new Softplus({ beta: 2, threshold: 3 }), [0.00907496, 0.15663084, Math.LN2 / 2, 1.06346405, 4]],
  [new Hardswish(), [-0.33333334, -0.20833333, 0, 0.66666669, 4]],
  [new Mish(), [-0.25250146, -0.22074376, 0, 0.86509836, 3.99741292]],
  [new Softmax(0), [0.00229155, 0.01027003, 0.01693242, 0.04602709, 0.92447895]],
  [new LogSoftmax(-1), [-6.07852507, -4.57852507, -4.07852507, -3.07852507, -0.07852503]],
];

describe("activations", () => {
  test.each(cases.map(([layer, y]) => [String(layer), layer, y] as const))("%s", (_, layer, y) => {
    const result = [...layer.forward(tensor(x)).dataSync()];
    result.forEach((value, i) => {
      expect(value, `at ${x[i]}`).toBeCloseTo(y[i], 6);
    });
    expect(layer.parameters()).toEqual([]);
  });

  test("print their options", () => {
    expect(String(new GELU({ approximate: "tanh" }))).toBe("GELU(approximate=tanh)");
    expect(String(new Softplus())).toBe("Softplus(beta=1, threshold=20)");
    expect(String(new Softmax(1))).toBe("Softmax(dim=1)");
  });
});

describe("activationFunction", () => {
  test("finds functions by name and takes functions as they are", () => {
    const own = activationFunction("Test", (t) => t.mul(2));
    expect(own(tensor(x)).arraySync()).toEqual(x.map((v) => v * 2));
    expect(activationFunction("Test", "relu")(tensor(x)).arraySync()).toEqual([0, 0, 0, 1, 4]);
    expect(activationFunction("Test", "identity")(tensor(x)).arraySync()).toEqual(x);
  });

  test("says which names there are", () => {
    const misspelt: string = "rleu";
    expect(() => Reflect.apply(activationFunction, undefined, ["MLP", misspelt])).toThrow(
      ArgumentError,
    );
    expect(() => Reflect.apply(activationFunction, undefined, ["MLP", "toString"])).toThrow(
      "MLP: activation must be a function or one of identity, relu, leakyRelu, elu, gelu, silu, sigmoid, tanh, " +
        "softplus, hardswish, mish, got toString.",
    );
  });
});

test("options in PyTorch's place, or by its names, are refused: they would be ignored", () => {
  for (const value of [0.2, { negative_slope: 0.2 }]) {
    expect(() => Reflect.construct(LeakyReLU, [value])).toThrow(
      /^LeakyReLU: options must be among negativeSlope, got (0\.2|negative_slope)\.$/,
    );
  }
});
