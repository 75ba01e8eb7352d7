import { ArgumentError, DTypeError, erf, philox, StateError } from "@gradloom/engine";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { compile } from "../src/compile.ts";
import { tensor, zeros } from "../src/create.ts";
import { setBackend } from "../src/engine.ts";
import { Generator, manualSeed } from "../src/generator.ts";
import { multinomial } from "../src/multinomial.ts";
import {
  bernoulli,
  dropoutMask,
  rand,
  randint,
  randn,
  randnLike,
  randperm,
} from "../src/random.ts";
import type { Tensor } from "../src/tensor.ts";

/** The largest distance between the distribution of the samples and `cdf`, times √n: rarely above 1.63. */
function kolmogorovSmirnov(samples: ArrayLike<number>, cdf: (x: number) => number): number {
  const sorted = Float64Array.from(samples).sort();
  const n = sorted.length;
  let distance = 0;
  sorted.forEach((x, i) => {
    distance = Math.max(distance, Math.abs(cdf(x) - i / n), Math.abs(cdf(x) - (i + 1) / n));
  });
  return distance * Math.sqrt(n);
}

/** Σ (observed - expected)² / expected. */
function chiSquare(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce((sum, count, i) => sum + (count - expected[i]) ** 2 / expected[i], 0);
}

function counts(values: ArrayLike<number>, length: number): number[] {
  const result = new Array<number>(length).fill(0);
  for (const value of Array.from(values)) result[value]++;
  return result;
}

function moments(values: ArrayLike<number>): { mean: number; variance: number; kurtosis: number } {
  const list = Array.from(values);
  const central = (mean: number, power: number) => {
    return list.reduce((sum, x) => sum + (x - mean) ** power, 0) / list.length;
  };
  const mean = central(0, 1);
  const variance = central(mean, 2);
  return { mean, variance, kurtosis: central(mean, 4) / variance ** 2 };
}

function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [moments(a), moments(b)];
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - x.mean) * (b[i] - y.mean);
  return sum / a.length / Math.sqrt(x.variance * y.variance);
}

const normalCdf = (x: number) => 0.5 * (1 + erf(x / Math.SQRT2));
const n = 20_000;

describe.each(["js", "wasm"] as const)("on %s", (backend) => {
  beforeEach(() => {
    setBackend(backend);
    manualSeed(1);
  });
  afterAll(() => setBackend("wasm"));

  test("rand is Philox of seed, draw and position", () => {
    const seed = 2 ** 40 + 5;
    manualSeed(seed);
    rand([3]);
    const second = rand([2, 2]).dataSync();
    const expected = [0, 1, 2, 3].map((i) => (philox(i, 1, 5, 2 ** 8, 0) >>> 8) / 2 ** 24);
    expect(Array.from(second)).toEqual(expected);
  });

  test.each(["float32", "float64"] as const)("rand of %s is uniform on [0, 1)", (dtype) => {
    const x = rand([n], { dtype }).dataSync();
    expect(kolmogorovSmirnov(x, (u) => u)).toBeLessThan(1.63);
    expect(moments(x).mean).toBeCloseTo(0.5, 2);
    expect(moments(x).variance).toBeCloseTo(1 / 12, 2);
    expect(Math.min(...x)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...x)).toBeLessThan(1);
  });

  test.each(["float32", "float64"] as const)("randn of %s is normal", (dtype) => {
    const x = randn([n], { dtype }).dataSync();
    expect(kolmogorovSmirnov(x, normalCdf)).toBeLessThan(1.63);
    const { mean, variance, kurtosis } = moments(x);
    expect(Math.abs(mean)).toBeLessThan(3 / Math.sqrt(n));
    expect(Math.abs(variance - 1)).toBeLessThan(3 * Math.sqrt(2 / n));
    expect(Math.abs(kurtosis - 3)).toBeLessThan(3 * Math.sqrt(24 / n));
    expect(x.every(Number.isFinite)).toBe(true);
  });

  test("neighbours and tensors are independent", () => {
    const a = randn([n]).dataSync();
    const b = randn([n]).dataSync();
    expect(Math.abs(correlation(a, b))).toBeLessThan(3 / Math.sqrt(n));
    expect(Math.abs(correlation(a.subarray(1), a.subarray(0, n - 1)))).toBeLessThan(
      3 / Math.sqrt(n),
    );
  });

  test("randint hits every integer equally often", () => {
    const x = randint(-3, 4, [n]);
    expect(x.dtype).toBe("int32");
    const observed = counts(
      x.dataSync().map((value) => value + 3),
      7,
    );
    // 22.5 is the 0.1 % point of χ² with 6 degrees of freedom.
    expect(chiSquare(observed, new Array(7).fill(n / 7))).toBeLessThan(22.5);
  });

  test("randint spans all of int32, and takes other dtypes", () => {
    const x = randint(-(2 ** 31), 2 ** 31, [n]).dataSync();
    expect(kolmogorovSmirnov(x, (value) => (value + 2 ** 31) / 2 ** 32)).toBeLessThan(1.63);
    expect(new Set(randint(2, [64], { dtype: "bool" }).dataSync())).toEqual(new Set([0, 1]));
    expect(randint(5, 6, [2], { dtype: "float32" }).arraySync()).toEqual([5, 5]);
  });

  test("randperm is a permutation; every order is equally likely", () => {
    expect(Array.from(randperm(100).dataSync()).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    const orders = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = randperm(3).dataSync().join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    // 20.5 is the 0.1 % point of χ² with 5 degrees of freedom.
    expect(chiSquare([...orders.values()], new Array(6).fill(1000))).toBeLessThan(20.5);
    expect(randperm(0).arraySync()).toEqual([]);
  });

  test("bernoulli has each element's probability", () => {
    const p = tensor([0, 0.1, 0.5, 1]).reshape([4, 1]).expand([4, n]);
    const draws = bernoulli(p);
    expect(draws.dtype).toBe("float32");
    const means = draws.mean(1).dataSync();
    expect(means[0]).toBe(0);
    expect(Math.abs(means[1] - 0.1)).toBeLessThan(3 * Math.sqrt(0.09 / n));
    expect(Math.abs(means[2] - 0.5)).toBeLessThan(3 * Math.sqrt(0.25 / n));
    expect(means[3]).toBe(1);
  });

  test("dropoutMask keeps the mean", () => {
    const mask = dropoutMask([n], 0.2).dataSync();
    expect(new Set(mask)).toEqual(new Set([0, 1.25]));
    expect(Math.abs(moments(mask).mean - 1)).toBeLessThan(3 * Math.sqrt(0.25 / n));
    expect(dropoutMask([3], 0).arraySync()).toEqual([1, 1, 1]);
    expect(dropoutMask([3], 1).arraySync()).toEqual([0, 0, 0]);
  });

  test("multinomial draws in proportion, with replacement", () => {
    const weights = [1, 2, 0, 5];
    const draws = multinomial(tensor(weights), 8000, { replacement: true });
    expect(draws.shape).toEqual([8000]);
    expect(draws.dtype).toBe("int32");
    const observed = counts(draws.dataSync(), 4);
    expect(observed[2]).toBe(0);
    // 13.8 is the 0.1 % point of χ² with 2 degrees of freedom.
    const [a, b, , d] = observed;
    expect(chiSquare([a, b, d], [1000, 2000, 5000])).toBeLessThan(13.8);
  });

  test("multinomial draws without replacement, in the order of drawing", () => {
    const rows = 4000;
    const weights = tensor([0.5, 0.3, 0.2]).expand([rows, 3]);
    const draws = multinomial(weights, 3).arraySync() as number[][];
    const orders = new Map<string, number>();
    for (const row of draws) orders.set(row.join(), (orders.get(row.join()) ?? 0) + 1);
    const p = [0.5, 0.3, 0.2];
    const names = ["0,1,2", "0,2,1", "1,0,2", "1,2,0", "2,0,1", "2,1,0"];
    const expected = names.map((name) => {
      const [first, second] = name.split(",").map(Number);
      return (rows * p[first] * p[second]) / (1 - p[first]);
    });
    expect(
      chiSquare(
        names.map((name) => orders.get(name) ?? 0),
        expected,
      ),
    ).toBeLessThan(20.5);
  });

  test("multinomial breaks ties: equal weights never give an index twice", () => {
    const draws = multinomial(zeros([6]).add(0.5), 6).dataSync();
    expect(Array.from(draws).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    // All scores are equal here: the order is that of the indices.
    expect(multinomial(zeros([4]), 4).arraySync()).toEqual([0, 1, 2, 3]);
  });

  test("a seed fixes everything, whatever is computed in between", () => {
    const draw = () => [rand([5]), randn([5]), randint(9, [5]), randperm(5), randn([2, 3])];
    manualSeed(42);
    const first = draw().map((x) => x.arraySync());
    manualSeed(42);
    const again = draw();
    expect(again.reverse().map((x) => x.arraySync())).toEqual(first.reverse());
    expect(rand([5]).arraySync()).not.toEqual(first[4]);
  });
});

test("both backends draw the same numbers", () => {
  const draw = (backend: "js" | "wasm") => {
    setBackend(backend);
    manualSeed(3);
    return [rand([1000]), rand([100], { dtype: "float64" }), randint(1e9, [100])].map((x) =>
      x.dataSync(),
    );
  };
  expect(draw("wasm")).toEqual(draw("js"));
  setBackend("wasm");
});

describe("Generator", () => {
  test("is independent of the default one", () => {
    manualSeed(5);
    const [a, b] = [rand([3]).arraySync(), rand([3]).arraySync()];
    const generator = new Generator(5);
    manualSeed(0);
    expect(rand([3], { generator }).arraySync()).toEqual(a);
    rand([3]);
    expect(rand([3], { generator }).arraySync()).toEqual(b);
  });

  test("goes on where its state was taken", () => {
    const generator = new Generator(-7);
    rand([1], { generator });
    const state = generator.getState();
    const expected = rand([3], { generator }).arraySync();
    expect(state).toEqual({ seed: -7, draws: 1 });
    expect(rand([3], { generator: new Generator(0).setState(state) }).arraySync()).toEqual(
      expected,
    );
  });

  test("without a seed differs each time; seeds differ in all bits", () => {
    const drawn = [new Generator(), new Generator(), new Generator(1), new Generator(1 + 2 ** 32)];
    const values = drawn.map((generator) => rand([4], { generator }).arraySync());
    expect(new Set(values.map(String)).size).toBe(4);
  });

  test("refuses seeds that are no integers", () => {
    expect(() => manualSeed(0.5)).toThrow(
      new ArgumentError("manualSeed: the seed must be an integer below 2^53, got 0.5 (draw 0).", {
        op: "manualSeed",
      }),
    );
  });
});

describe("arguments", () => {
  test("shape and dtype of randnLike", () => {
    const x = randnLike(tensor(new Float64Array(3)));
    expect([x.shape, x.dtype]).toEqual([[3], "float64"]);
    expect(randn([2], { requiresGrad: true }).requiresGrad).toBe(true);
  });

  test.each([
    [() => rand([2], { dtype: "int32" }), "rand: the dtype must be float32 or float64, got int32."],
    [() => randn([-1]), "randn: sizes must be integers of at least 0, got [-1]."],
    [
      () => randint(3, 3, [1]),
      "randint: low < high must be integers in [-2147483648, 2147483648] for int32, got 3 and 3.",
    ],
    [
      () => randint(0, 300, [1], { dtype: "uint8" }),
      "randint: low < high must be integers in [0, 256] for uint8, got 0 and 300.",
    ],
    [() => dropoutMask([1], 1.5), "dropout: p must be in [0, 1], got 1.5."],
    [
      () => multinomial(tensor([1, 2]), 3),
      "multinomial: numSamples must be in [1, 2] to draw from 2 without replacement, got 3.",
    ],
    [
      () => multinomial(tensor(1), 1),
      "multinomial: probabilities must be [n] or [rows, n], got [].",
    ],
    [
      () => bernoulli(tensor([1], { dtype: "int32" })),
      "bernoulli: the dtype must be float32 or float64, got int32.",
    ],
  ])("%s", (call, message) => {
    expect(call).toThrow(message);
    expect(call).not.toThrow(TypeError);
  });

  test("randperm inside a compiled function is an error, not the same order each time", () => {
    expect(() => compile((x: Tensor) => x.add(randperm(3)))(tensor([1, 2, 3]))).toThrow(
      new StateError(
        "randperm: the order must not be drawn inside of compile(). Pass it in as an input.",
        { op: "randperm" },
      ),
    );
  });

  test("errors have their class", () => {
    expect(() => rand([2], { dtype: "bool" })).toThrow(DTypeError);
  });
});
