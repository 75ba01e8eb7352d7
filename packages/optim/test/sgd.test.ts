import { type Tensor, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { SGD, type SGDOptions } from "../src/index.ts";

/** Where a parameter that starts at 1 is after each step, for gradients 1, 2, 4. */
function path(options: SGDOptions): number[] {
  const x = tensor([1], { requiresGrad: true });
  const optimizer = new SGD([x], options);
  return [1, 2, 4].map((gradient) => {
    optimizer.zeroGrad();
    x.mul(gradient).sum().backward();
    optimizer.step();
    return x.itemSync();
  });
}

describe("SGD, worked out by hand", () => {
  const cases: [string, SGDOptions, number[]][] = [
    ["plain: 1 − ½, − 1, − 2", { lr: 0.5 }, [0.5, -0.5, -2.5]],
    ["momentum ½: directions 1, 2.5, 5.25", { lr: 0.5, momentum: 0.5 }, [0.5, -0.75, -3.375]],
    [
      "dampening ½, but not at first: 1, 1.5, 2.75",
      { lr: 0.5, momentum: 0.5, dampening: 0.5 },
      [0.5, -0.25, -1.625],
    ],
    [
      "nesterov: g + b / 2, so 1.5, 3.25, 6.625",
      { lr: 0.5, momentum: 0.5, nesterov: true },
      [0.25, -1.375, -4.6875],
    ],
    [
      "weight decay ½: gradients 1.5, 2.125, 3.59375",
      { lr: 0.5, weightDecay: 0.5 },
      [0.25, -0.8125, -2.609375],
    ],
    ["maximize climbs", { lr: 0.5, maximize: true }, [1.5, 2.5, 4.5]],
  ];
  test.each(cases)("%s", (_, options, expected) => {
    expect(path(options)).toEqual(expected);
  });

  test("the default learning rate is 1e-3", () => {
    expect(path({})[0]).toBeCloseTo(0.999, 6);
  });
});

describe("state", () => {
  test("momentum is remembered by PyTorch's name, and the first step is the first after loading, too", () => {
    const [a, b] = [1, 1].map((v) => tensor([v], { requiresGrad: true })) as [Tensor, Tensor];
    const options = { lr: 0.5, momentum: 0.5, dampening: 0.5 };
    const [first, second] = [new SGD([a], options), new SGD([b], options)];
    const step = (x: Tensor, optimizer: SGD, gradient: number) => {
      optimizer.zeroGrad();
      x.mul(gradient).sum().backward();
      optimizer.step();
      return x.itemSync();
    };
    step(a, first, 1);
    step(b, second, 1);
    const state = first.stateDict();
    expect(Object.keys(state.state["0"])).toEqual(["momentum_buffer"]);
    second.loadStateDict(state);
    expect(step(b, second, 2)).toBe(step(a, first, 2));
    expect(b.itemSync()).toBe(-0.25);
  });
});

describe("options", () => {
  const make = (options: SGDOptions) => () =>
    new SGD([tensor([1], { requiresGrad: true })], options);

  test("out of range", () => {
    expect(make({ lr: -1 })).toThrow("SGD: lr must be a finite number of at least 0, got -1.");
    expect(make({ lr: Number.NaN })).toThrow("got NaN");
    expect(make({ momentum: -0.1 })).toThrow("SGD: momentum must be");
    expect(make({ weightDecay: Number.POSITIVE_INFINITY })).toThrow("SGD: weightDecay must be");
    expect(make({ dampening: Number.NaN })).toThrow("SGD: dampening must be a finite number");
    expect(make({ nesterov: true })).toThrow("nesterov must have momentum and no dampening");
    expect(make({ nesterov: true, momentum: 0.9, dampening: 0.1 })).toThrow("dampening 0.1");
  });

  test("a group without momentum has nothing to look ahead along", () => {
    const [a, b, c] = [1, 1, 1].map((v) => tensor([v], { requiresGrad: true }));
    const groups = [{ params: [a] }, { params: [b], momentum: 0 }, { params: [c], dampening: 0.5 }];
    const optimizer = new SGD(groups, { lr: 1, momentum: 0.5, nesterov: true });
    // With the slope 1: (1 + 0.5) + (1 + 0.75), 1 + 1, (1 + 0.5) + (1 + (0.5 + 0.5) / 2).
    for (let i = 0; i < 2; i++) {
      optimizer.zeroGrad();
      a.add(b).add(c).sum().backward();
      optimizer.step();
    }
    expect([a, b, c].map((p) => p.itemSync())).toEqual([-2.25, -1, -2]);
  });
});
