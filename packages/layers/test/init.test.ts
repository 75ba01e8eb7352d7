import { ArgumentError, manualSeed, ShapeError, type Tensor } from "@gradloom/tensor";
import { beforeEach, describe, expect, test } from "vitest";
import { init, Linear } from "../src/index.ts";

beforeEach(() => {
  manualSeed(11);
});

function statistics(tensor: Tensor): { mean: number; std: number; largest: number } {
  const values = [...tensor.dataSync()];
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance), largest: Math.max(...values.map(Math.abs)) };
}

describe("targets", () => {
  test("a shape gives a new tensor, a parameter takes the values in place", () => {
    const fresh = init.ones([2, 2]);
    expect(fresh.arraySync()).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(fresh.requiresGrad).toBe(false);
    const layer = new Linear(2, 2);
    expect(init.constant(layer.weight, 0.5)).toBe(layer.weight);
    expect(layer.weight.arraySync()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
    expect(layer.weight.requiresGrad).toBe(true);
    expect(init.zeros(layer.bias!).arraySync()).toEqual([0, 0]);
  });

  test("a float64 parameter stays float64", () => {
    const { weight } = new Linear(3, 3).to("float64");
    expect(init.xavierNormal(weight).dtype).toBe("float64");
  });
});

// Fans of a convolution's weight [64, 16, 5, 5]: in 16 · 25 = 400, out 64 · 25 = 1600.
const shape = [64, 16, 5, 5];

describe("distributions", () => {
  const uniforms: [string, () => Tensor, number][] = [
    ["uniform", () => init.uniform(shape, { a: -3, b: 3 }), 3],
    ["kaimingUniform, by default for ReLU", () => init.kaimingUniform(shape), Math.sqrt(6 / 400)],
    [
      "kaimingUniform, as Linear does it",
      () => init.kaimingUniform(shape, { a: Math.sqrt(5) }),
      1 / Math.sqrt(400),
    ],
    [
      "kaimingUniform, fanOut and tanh",
      () => init.kaimingUniform(shape, { mode: "fanOut", nonlinearity: "tanh" }),
      ((5 / 3) * Math.sqrt(3)) / Math.sqrt(1600),
    ],
    ["xavierUniform", () => init.xavierUniform(shape), Math.sqrt(6 / 2000)],
    [
      "xavierUniform, gain 2",
      () => init.xavierUniform(shape, { gain: 2 }),
      2 * Math.sqrt(6 / 2000),
    ],
  ];
  test.each(uniforms)("%s", (_, make, bound) => {
    const { mean, std, largest } = statistics(make());
    expect(largest / bound).toBeLessThanOrEqual(1.000001);
    expect(largest / bound).toBeGreaterThan(0.999);
    expect(std / (bound / Math.sqrt(3))).toBeCloseTo(1, 1.5);
    expect(Math.abs(mean) / bound).toBeLessThan(0.02);
  });

  const normals: [string, () => Tensor, number, number][] = [
    ["normal", () => init.normal(shape), 0, 1],
    ["normal, mean 3 and std 0.02", () => init.normal(shape, { mean: 3, std: 0.02 }), 3, 0.02],
    ["kaimingNormal", () => init.kaimingNormal(shape), 0, Math.sqrt(2 / 400)],
    [
      "kaimingNormal, linear",
      () => init.kaimingNormal(shape, { nonlinearity: "linear" }),
      0,
      1 / Math.sqrt(400),
    ],
    ["xavierNormal", () => init.xavierNormal(shape), 0, Math.sqrt(2 / 2000)],
  ];
  test.each(normals)("%s", (_, make, mean, std) => {
    const found = statistics(make());
    expect(found.std / std).toBeCloseTo(1, 1.5);
    expect(Math.abs(found.mean - mean) / std).toBeLessThan(0.02);
    expect(found.largest).toBeGreaterThan(mean + 3 * std);
  });
});

describe("orthogonal", () => {
  test.each([[[5, 8]], [[8, 5]], [[6, 6]], [[4, 3, 2]]])("%j", (size) => {
    const matrix = init.orthogonal(size, { gain: 2 });
    expect(matrix.shape).toEqual(size);
    const rows = size[0];
    const columns = matrix.numel / rows;
    const flat = matrix.reshape([rows, columns]);
    const gram = rows <= columns ? flat.matmul(flat.t()) : flat.t().matmul(flat);
    const n = Math.min(rows, columns);
    [...gram.dataSync()].forEach((value, i) => {
      expect(value).toBeCloseTo(i % (n + 1) === 0 ? 4 : 0, 5);
    });
  });
});

describe("errors", () => {
  test("say what is wrong", () => {
    expect(() => init.kaimingUniform([3])).toThrow(ShapeError);
    expect(() => init.kaimingUniform([3])).toThrow(
      "kaimingUniform: the shape must have 2 axes or more, got [3].",
    );
    expect(() => init.orthogonal([3])).toThrow(ShapeError);
    expect(() => init.normal([3], { std: -1 })).toThrow("normal: std must be at least 0, got -1.");
    expect(() =>
      Reflect.apply(init.kaimingNormal, undefined, [[2, 2], { mode: "fan_in" }]),
    ).toThrow("mode must be fanIn or fanOut, got fan_in");
    expect(() => Reflect.apply(init.calculateGain, undefined, ["gelu"])).toThrow(ArgumentError);
  });

  test("options in PyTorch's places, or of other names, are refused, where they were ignored", () => {
    const weight = new Linear(2, 2).weight;
    const call = (fn: keyof typeof init, ...options: unknown[]) =>
      expect(() => Reflect.apply(init[fn], undefined, [weight, ...options]));
    call("uniform", -0.1, 0.1).toThrow("uniform: options must be among a, b, got -0.1.");
    call("normal", 0, 0.02).toThrow("normal: options must be among mean, std, got 0.");
    for (const fn of ["kaimingUniform", "kaimingNormal"] as const) {
      call(fn, { fan: "fanOut" }).toThrow(
        `${fn}: options must be among a, mode, nonlinearity, got`,
      );
    }
    for (const fn of ["xavierUniform", "xavierNormal", "orthogonal"] as const) {
      call(fn, 2).toThrow(`${fn}: options must be among gain, got 2.`);
    }
  });

  test("gains are PyTorch's", () => {
    expect(init.calculateGain("tanh")).toBe(5 / 3);
    expect(init.calculateGain("relu")).toBe(Math.SQRT2);
    expect(init.calculateGain("leakyRelu")).toBe(Math.sqrt(2 / 1.0001));
    expect(init.calculateGain("selu")).toBe(0.75);
    expect(init.calculateGain("sigmoid")).toBe(1);
  });
});
