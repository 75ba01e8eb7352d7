import { manualSeed, randn, type Tensor, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { AdamW, Muon, type MuonOptions } from "../src/index.ts";

/** What one step without decay subtracts from a parameter, divided by lr. */
function direction(gradient: Tensor, options: MuonOptions = {}): Tensor {
  const x = gradient.mul(0).clone();
  x.requiresGrad = true;
  const optimizer = new Muon([x], { lr: 1, weightDecay: 0, ...options });
  x.grad = gradient;
  optimizer.step();
  return x.detach().neg();
}

describe("a matrix", () => {
  test.each([
    [4, 4],
    [3, 8],
    [8, 3],
  ])("of %i rows and %i columns steps with singular values near 1", (rows, columns) => {
    manualSeed(2);
    const u = direction(randn([rows, columns]), { nsSteps: 10 }).div(
      Math.sqrt(Math.max(1, rows / columns)),
    );
    const small = rows < columns ? u.matmul(u.t()) : u.t().matmul(u);
    // The trace is the sum of squared singular values, each within [0.7, 1.2].
    const count = Math.min(rows, columns);
    const trace = small.diagonal().sum().itemSync() / count;
    expect(trace).toBeGreaterThan(0.5);
    expect(trace).toBeLessThan(1.5);
  });

  test("with the classical coefficients, many steps reach the polar factor exactly", () => {
    // Of a rotation by 0.3 times a positive definite matrix, that is the rotation.
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
    const rotation = tensor([
      [c, -s],
      [s, c],
    ]);
    const u = direction(
      rotation.matmul(
        tensor([
          [2, 1],
          [1, 3],
        ]),
      ),
      { nsCoefficients: [1.5, -0.5, 0], nsSteps: 30 },
    );
    expect(u.allclose(rotation, { rtol: 0, atol: 1e-5 })).toBe(true);
  });

  test("of more axes is [shape[0], the rest]", () => {
    manualSeed(4);
    const gradient = randn([3, 2, 2]);
    const flat = direction(gradient.reshape([3, 4]));
    expect(direction(gradient).reshape([3, 4]).arraySync()).toEqual(flat.arraySync());
  });

  test("the rate can follow AdamW's", () => {
    manualSeed(5);
    const gradient = randn([8, 2]);
    const [plain, adjusted] = [
      direction(gradient),
      direction(gradient, { adjustLrFn: "match_rms_adamw" }),
    ];
    const ratio = (0.2 * Math.sqrt(8)) / Math.sqrt(8 / 2);
    expect(adjusted.allclose(plain.mul(ratio), { rtol: 1e-5, atol: 1e-6 })).toBe(true);
  });

  test("without a gradient in any direction stays, and gives no NaN", () => {
    expect(
      direction(tensor([[0, 0]]))
        .abs()
        .arraySync(),
    ).toEqual([[0, 0]]);
  });
});

test.each([
  ["a vector", [5, -1, 0.5], {}],
  ["a group without Muon", [[5, -1, 0.5]], { useMuon: false }],
])("%s goes by AdamW", (_, start, options) => {
  const [a, b] = [1, 1].map(() => tensor(start, { requiresGrad: true }));
  const settings = { lr: 0.1, weightDecay: 0.2, betas: [0.8, 0.9] } as const;
  for (const optimizer of [new Muon([a], { ...settings, ...options }), new AdamW([b], settings)]) {
    const [x] = optimizer.paramGroups[0].params;
    for (let i = 0; i < 3; i++) {
      optimizer.zeroGrad();
      x.square().sum().backward();
      optimizer.step();
    }
  }
  expect(a.allclose(b, { rtol: 1e-6, atol: 1e-6 })).toBe(true);
});

test("options out of range", () => {
  const make = (options: MuonOptions) => () => new Muon([tensor([[1]])], options);
  expect(make({ nsSteps: 100 })).toThrow("Muon: nsSteps must be an integer in [0, 100), got 100.");
  expect(make({ nsCoefficients: [1, 2, Number.NaN] })).toThrow(
    "three finite numbers, got [1, 2, NaN]",
  );
  expect(make({ adjustLrFn: "x" as never })).toThrow('"original" or "match_rms_adamw", got x.');
  expect(make({ momentum: -1 })).toThrow("Muon: momentum must be");
});

test("PyTorch's state dict loads", () => {
  const x = tensor([[1, 2]], { requiresGrad: true });
  const optimizer = new Muon([x]);
  optimizer.loadStateDict({
    state: { "0": { momentum_buffer: tensor([[3, 4]]) } },
    param_groups: [
      {
        lr: 0.5,
        weight_decay: 0,
        momentum: 1,
        nesterov: false,
        ns_coefficients: [1, 0, 0],
        ns_steps: 1,
        eps: 1e-7,
        adjust_lr_fn: null,
        params: [0],
      },
    ],
  });
  x.grad = tensor([[7, 7]]);
  optimizer.step();
  // The buffer stays [3, 4] with momentum 1; divided by its norm 5 that is [0.6, 0.8].
  expect(x.arraySync()).toEqual([[expect.closeTo(0.7, 5), expect.closeTo(1.6, 5)]]);
});
