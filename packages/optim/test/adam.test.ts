import { type Tensor, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { Adam, type AdamOptions, AdamW } from "../src/index.ts";

type Kind = typeof Adam | typeof AdamW;

/** Where a parameter that starts at [1, −2] is after each step, for fixed gradients. */
function path(Optimizer: Kind, options: AdamOptions): Tensor[] {
  const x = tensor([1, -2], { requiresGrad: true });
  const optimizer = new Optimizer([x], options);
  const gradients = [
    [0.5, -1],
    [0.1, 3],
    [-0.2, 0.01],
  ];
  return gradients.map((gradient) => {
    optimizer.zeroGrad();
    x.mul(tensor(gradient)).sum().backward();
    optimizer.step();
    return x.detach().clone();
  });
}

// import torch                                                                  # PyTorch 1.13
// for name, options in [("Adam", {}), ("Adam", {"weight_decay": 0.1}), ("Adam", {"amsgrad": True}), …]:
//     x = torch.tensor([1., -2.], requires_grad=True)
//     o = getattr(torch.optim, name)([x], lr=0.1, betas=(0.5, 0.75), **options)
//     for g in ([0.5, -1.], [0.1, 3.], [-0.2, 0.01]):
//         x.grad = torch.tensor(g); o.step(); print(x.tolist())
const lr = 0.1;
const betas = [0.5, 0.75] as const;
const cases: [string, Kind, AdamOptions, number[][]][] = [
  [
    "Adam",
    Adam,
    {},
    [
      [0.9, -1.9],
      [0.8305436, -1.9706099],
      [0.8355522, -2.0110989],
    ],
  ],
  [
    "Adam, weight decay",
    Adam,
    { weightDecay: 0.1 },
    [
      [0.9, -1.9],
      [0.8218926, -1.9650543],
      [0.7994927, -1.9957365],
    ],
  ],
  [
    "Adam, amsgrad",
    Adam,
    { amsgrad: true },
    [
      [0.9, -1.9],
      [0.8382658, -1.9706099],
      [0.8426106, -2.0056746],
    ],
  ],
  [
    "Adam, eps",
    Adam,
    { eps: 0.5 },
    [
      [0.95, -1.9333333],
      [0.9220874, -1.9916004],
      [0.9239067, -2.0232034],
    ],
  ],
  [
    "AdamW",
    AdamW,
    {},
    [
      [0.899, -1.898],
      [0.8286446, -1.966712],
      [0.8328246, -2.0052342],
    ],
  ],
  [
    "AdamW, amsgrad and more decay",
    AdamW,
    { amsgrad: true, weightDecay: 0.5 },
    [
      [0.85, -1.8],
      [0.7457657, -1.7806098],
      [0.7128223, -1.7266442],
    ],
  ],
];

describe("against PyTorch", () => {
  test.each(cases)("%s", (_, Optimizer, options, expected) => {
    const steps = path(Optimizer, { lr, betas, ...options });
    steps.forEach((x, step) => {
      [...x.dataSync()].forEach((value, i) => {
        expect(value, `element ${i} after step ${step + 1}`).toBeCloseTo(expected[step][i], 5);
      });
    });
  });
});

describe("by hand", () => {
  test("the first step has the length lr, whatever the gradient: both corrections", () => {
    const x = tensor([1, 1, 1], { requiresGrad: true });
    const optimizer = new Adam([x], { lr: 0.25 });
    x.mul(tensor([1e-3, -5, 1000]))
      .sum()
      .backward();
    optimizer.step();
    const [a, b, c] = x.dataSync();
    expect(a).toBeCloseTo(0.75, 4);
    expect(b).toBeCloseTo(1.25, 6);
    expect(c).toBeCloseTo(0.75, 6);
  });

  test("decay goes through the moments in Adam, past them in AdamW", () => {
    const moved = [Adam, AdamW].map((Optimizer) => {
      const x = tensor([1], { requiresGrad: true });
      const optimizer = new Optimizer([x], { lr: 0.125, weightDecay: 0.5 });
      x.mul(0).sum().backward();
      optimizer.step();
      return x.itemSync();
    });
    // Adam sees the gradient 0.5 and makes a whole step; AdamW shrinks by lr · weightDecay.
    expect(moved[0]).toBeCloseTo(0.875, 6);
    expect(moved[1]).toBeCloseTo(1 - 0.125 * 0.5, 6);
  });

  test("maximize climbs", () => {
    const x = tensor([1], { requiresGrad: true });
    const optimizer = new Adam([x], { lr: 0.25, maximize: true });
    x.mul(3).sum().backward();
    optimizer.step();
    expect(x.itemSync()).toBeCloseTo(1.25, 6);
  });
});

describe("options", () => {
  const parameters = () => [tensor([1], { requiresGrad: true })];

  test("defaults are PyTorch's", () => {
    const [{ params, ...adam }] = new Adam(parameters()).paramGroups;
    expect(params).toHaveLength(1);
    expect(adam).toEqual({
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      amsgrad: false,
      maximize: false,
    });
    expect(new AdamW(parameters()).paramGroups[0].weightDecay).toBe(0.01);
  });

  test("out of range", () => {
    expect(() => new Adam(parameters(), { lr: -1 })).toThrow("Adam: lr must be");
    expect(() => new AdamW(parameters(), { eps: Number.NaN })).toThrow("AdamW: eps must be");
    expect(() => new Adam(parameters(), { betas: [0.9, 1] })).toThrow(
      "Adam: betas must be two numbers in [0, 1), got [0.9, 1].",
    );
    expect(() => new Adam(parameters(), { betas: 0.9 as never })).toThrow("[0, 1), got 0.9.");
    expect(() => new Adam(parameters(), { betas: [-0.1, 0.9] })).toThrow("got [-0.1, 0.9]");
    expect(() => new AdamW(parameters(), { weightDecay: -1 })).toThrow("AdamW: weightDecay");
  });
});
