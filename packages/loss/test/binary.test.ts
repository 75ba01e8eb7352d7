import { gradcheck, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import {
  BCELoss,
  BCEWithLogitsLoss,
  bceLoss,
  bceWithLogitsLoss,
  KLDivLoss,
  klDivLoss,
} from "../src/index.ts";

const ln2 = Math.LN2;
const none = { reduction: "none" } as const;

function closeTo(got: unknown, expected: readonly number[], digits = 5): void {
  const values = [got].flat(3) as number[];
  expect(values).toHaveLength(expected.length);
  values.forEach((value, i) => {
    expect(value / (expected[i] || 1), `element ${i}`).toBeCloseTo(
      expected[i] === 0 ? 0 : 1,
      digits,
    );
  });
}

describe("bceLoss", () => {
  test("worked out by hand", () => {
    const p = tensor([0.5, 0.25]);
    const y = tensor([1, 0]);
    closeTo(bceLoss(p, y, none).arraySync(), [ln2, Math.log(4 / 3)]);
    closeTo(bceLoss(p, y).arraySync(), [(ln2 + Math.log(4 / 3)) / 2]);
    const weighted = new BCELoss({ weight: tensor([2, 0]), reduction: "sum" });
    closeTo(weighted.forward(p, y).arraySync(), [2 * ln2]);
  });

  // import torch                                                                  # PyTorch 1.13
  // p = torch.tensor([0., 1., 0., 1., 1e-20, 0.25], requires_grad=True)
  // y = torch.tensor([0., 1., 1., 0., 1., 0.75])
  // l = torch.nn.functional.binary_cross_entropy(p, y, reduction='none')
  // l.sum().backward(); print(l.tolist(), p.grad.tolist())
  test("at 0 and 1, values and slopes are PyTorch's", () => {
    const p = tensor([0, 1, 0, 1, 1e-20, 0.25], { requiresGrad: true });
    const y = tensor([0, 1, 1, 0, 1, 0.75]);
    const losses = bceLoss(p, y, none);
    losses.sum().backward();
    closeTo(losses.arraySync(), [0, 0, 100, 100, 46.05170059, 1.11164117]);
    closeTo(p.grad?.arraySync(), [0, 0, -1e12, 1e12, -1e12, -2.66666675]);
  });

  test("gradcheck in float64", async () => {
    const p = tensor([0.2, 0.7], { dtype: "float64", requiresGrad: true });
    const y = tensor([0.3, 1], { dtype: "float64", requiresGrad: true });
    expect(await gradcheck((a, b) => bceLoss(a, b), [p, y])).toBe(true);
  });
});

describe("bceWithLogitsLoss", () => {
  test("worked out by hand: ln 2 at 0, and ln(1 + ⅓) at ln 3 if true", () => {
    const x = tensor([0, Math.log(3)]);
    const y = tensor([0, 1]);
    closeTo(bceWithLogitsLoss(x, y, none).arraySync(), [ln2, Math.log(4 / 3)]);
    const weighted = new BCEWithLogitsLoss({
      posWeight: tensor([9, 3]),
      weight: tensor([2, 1]),
      ...none,
    });
    closeTo(weighted.forward(x, y).arraySync(), [2 * ln2, 3 * Math.log(4 / 3)]);
    expect(Object.keys(weighted.stateDict())).toEqual(["weight", "pos_weight"]);
  });

  test("exact where the sigmoid is 0 or 1", () => {
    const x = tensor([-100, 80, -20, 1e30], { requiresGrad: true });
    const losses = bceWithLogitsLoss(x, tensor([1, 1, 0, 0]), none);
    losses.sum().backward();
    closeTo(losses.arraySync(), [100, Math.exp(-80), Math.log1p(Math.exp(-20)), 1e30], 4);
    closeTo(x.grad?.arraySync(), [-1, -Math.exp(-80), Math.exp(-20), 1], 4);
  });

  test("exact in float64, beyond 20", () => {
    const x = tensor([21, 30], { dtype: "float64", requiresGrad: true });
    const y = tensor([0, 0], { dtype: "float64" });
    const losses = bceWithLogitsLoss(x, y, none);
    losses.sum().backward();
    const small = [Math.exp(-21), Math.exp(-30)];
    losses.dataSync().forEach((value, i) => {
      expect(value).toBeCloseTo([21, 30][i] + small[i], 14);
    });
    x.grad!.dataSync().forEach((value, i) => {
      expect(1 - value).toBeCloseTo(small[i], 15);
    });
  });

  test("gradcheck in float64", async () => {
    const x = tensor([-1.2, 0.7, 3], { dtype: "float64", requiresGrad: true });
    const y = tensor([0.3, 1, 0], { dtype: "float64", requiresGrad: true });
    const posWeight = tensor([2, 0.5, 1], { dtype: "float64" });
    expect(await gradcheck((a, b) => bceWithLogitsLoss(a, b, { posWeight }), [x, y])).toBe(true);
  });
});

describe("klDivLoss", () => {
  const q = tensor([
    [0.5, 0.5],
    [0.25, 0.75],
  ]).log();
  const p = tensor([
    [1, 0],
    [0.5, 0.5],
  ]);
  const each = [ln2, 0, 0.5 * ln2, 0.5 * Math.log(2 / 3)];
  const sum = each.reduce((a, b) => a + b);

  test("worked out by hand, with every reduction", () => {
    closeTo(klDivLoss(q, p, none).arraySync(), each);
    closeTo(klDivLoss(q, p).arraySync(), [sum / 4]);
    closeTo(klDivLoss(q, p, { reduction: "sum" }).arraySync(), [sum]);
    closeTo(new KLDivLoss({ reduction: "batchmean" }).forward(q, p).arraySync(), [sum / 2]);
    expect(() => Reflect.construct(KLDivLoss, [{ reduction: "max" }])).toThrow("got max");
  });

  test("log targets give the same, and gradients stay finite at 0", () => {
    const some = tensor([[0.5, 0.5]]);
    const plain = klDivLoss(q.narrow(0, 1, 1), some).itemSync();
    const log = klDivLoss(q.narrow(0, 1, 1), some.log(), { logTarget: true }).itemSync();
    expect(log).toBeCloseTo(plain, 6);
    const target = tensor([0, 1], { requiresGrad: true });
    klDivLoss(tensor([0.5, 0.5]).log(), target, { reduction: "sum" }).backward();
    expect([...target.grad!.dataSync()].every(Number.isFinite)).toBe(true);
  });
});
