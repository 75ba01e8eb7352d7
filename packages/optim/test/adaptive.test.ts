import { type Tensor, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { Adagrad, Lion, type Optimizer, RMSprop } from "../src/index.ts";

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });

/** Where a parameter that starts at 1 is after steps with these gradients. */
function path(make: (x: Tensor[]) => Optimizer, gradients: readonly number[]): number[] {
  const x = leaf(1);
  const optimizer = make([x]);
  return gradients.map((gradient) => {
    x.grad = tensor([gradient]);
    optimizer.step();
    return x.itemSync();
  });
}
const about = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5));

describe("worked out by hand", () => {
  test("RMSprop: v = 2, then 9; steps 2/√2 and 4/3", () => {
    const moved = path((x) => new RMSprop(x, { lr: 0.5, alpha: 0.5, eps: 0 }), [2, 4]);
    expect(moved).toEqual(about([1 - 1 / Math.SQRT2, 1 - 1 / Math.SQRT2 - 2 / 3]));
  });

  test("RMSprop, centered: a = 1, so v − a² = 1", () => {
    const options = { lr: 0.5, alpha: 0.5, eps: 1, centered: true };
    expect(path((x) => new RMSprop(x, options), [2])).toEqual(about([1 - (0.5 * 2) / (1 + 1)]));
  });

  test("Adagrad: s = 9 + ½·0, then 25; the rate halves", () => {
    const options = { lr: 1, lrDecay: 1, eps: 0 };
    expect(path((x) => new Adagrad(x, options), [3, 4])).toEqual(about([0, -0.5 * (4 / 5)]));
    const started = { lr: 1, initialAccumulatorValue: 16, eps: 0 };
    expect(path((x) => new Adagrad(x, started), [3])).toEqual(about([1 - 3 / 5]));
  });

  test("Lion: the sign of ½ m + ½ g, with m = ¼ of g", () => {
    const options = { lr: 0.25, betas: [0.5, 0.75] as const };
    // m: 1, then 0.75 − 0.125 = 0.625 (c = ½ − ¼ > 0), then c = 0.3125 − 1 < 0.
    expect(path((x) => new Lion(x, options), [4, -0.5, -2])).toEqual([0.75, 0.5, 0.75]);
    const decaying = { lr: 0.5, weightDecay: 0.5 };
    expect(path((x) => new Lion(x, decaying), [0, 1])).toEqual([0.75, 0.75 * 0.75 - 0.5]);
  });

  test.each([
    ["RMSprop", RMSprop],
    ["Adagrad", Adagrad],
    ["Lion", Lion],
  ])("%s can climb", (_, Optimizer) => {
    expect(path((x) => new Optimizer(x, { lr: 0.5, maximize: true }), [1])[0]).toBeGreaterThan(1);
  });
});

describe("state", () => {
  test.each([
    [
      "RMSprop",
      { momentum: 0.9, centered: true },
      RMSprop,
      "step square_avg grad_avg momentum_buffer",
    ],
    ["Adagrad", {}, Adagrad, "step sum"],
    ["Lion", {}, Lion, "exp_avg"],
  ])("%s keeps it by PyTorch's names, and goes on from it", (_, options, Optimizer, names) => {
    const make = () => {
      const x = leaf(1, -2);
      return { x, optimizer: new Optimizer([x], { lr: 0.25, ...options }) };
    };
    const [a, b] = [make(), make()];
    const step = ({ x, optimizer }: { x: Tensor; optimizer: Optimizer }) => {
      x.grad = x.detach().mul(2).add(1);
      optimizer.step();
      return x.arraySync();
    };
    step(a);
    step(b);
    const dict = a.optimizer.stateDict();
    expect(Object.keys(dict.state["0"])).toEqual(names.split(" "));
    b.optimizer.loadStateDict({ ...dict, state: {} });
    b.optimizer.loadStateDict(dict);
    expect(step(b)).toEqual(step(a));
  });
});

describe("options", () => {
  test("defaults are PyTorch's", () => {
    expect(new RMSprop([leaf(1)]).paramGroups[0]).toMatchObject({
      lr: 0.01,
      alpha: 0.99,
      eps: 1e-8,
      momentum: 0,
      centered: false,
    });
    expect(new Adagrad([leaf(1)]).paramGroups[0]).toMatchObject({
      lr: 0.01,
      lrDecay: 0,
      eps: 1e-10,
    });
    expect(new Lion([leaf(1)]).paramGroups[0]).toMatchObject({ lr: 1e-4, betas: [0.9, 0.99] });
  });

  test("out of range", () => {
    expect(() => new RMSprop([leaf(1)], { alpha: -1 })).toThrow("RMSprop: alpha must be");
    expect(() => new Adagrad([leaf(1)], { lrDecay: -1 })).toThrow("Adagrad: lrDecay must be");
    expect(() => new Lion([leaf(1)], { betas: [1, 0] })).toThrow("Lion: betas must be");
  });

  test("a group added later has the optimizer's options", () => {
    const [a, b] = [leaf(1), leaf(1)];
    const optimizer = new Lion([a], { lr: 0.5 });
    optimizer.addParamGroup({ params: [b], lr: 0.25 });
    for (const x of [a, b]) x.grad = tensor([1]);
    optimizer.step();
    expect([a.itemSync(), b.itemSync()]).toEqual([0.5, 0.75]);
    expect(() => optimizer.addParamGroup({ params: [a] })).toThrow("must be listed once");
    expect(optimizer.paramGroups).toHaveLength(2);
  });
});
