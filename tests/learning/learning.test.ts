import { Dropout, GELU, LayerNorm, Linear, MLP, Residual, Sequential } from "@gradloom/layers";
import { BCEWithLogitsLoss, CrossEntropyLoss, MSELoss } from "@gradloom/loss";
import { Adam, AdamW, SGD } from "@gradloom/optim";
import {
  linspace,
  manualSeed,
  noGrad,
  rand,
  randn,
  stack,
  type Tensor,
  tensor,
} from "@gradloom/tensor";
import { beforeEach, describe, expect, test } from "vitest";

beforeEach(() => {
  manualSeed(1);
});

/** The share of rows whose largest score is that of their class. */
function accuracy(scores: Tensor, classes: Tensor): number {
  return scores.argmax(1).eq(classes).to("float32").mean().itemSync();
}

describe("learning", () => {
  test("an MLP learns y = 3x² + 5 from noisy samples", () => {
    const x = rand([256, 1]).mul(6).sub(3);
    const y = x
      .square()
      .mul(3)
      .add(5)
      .add(randn([256, 1]).mul(0.05));
    const model = new MLP(1, [64, 64], 1);
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    const criterion = new MSELoss();
    for (let step = 0; step < 1000; step++) {
      optimizer.lr = 0.01 * (1 - step / 1000);
      const loss = criterion.forward(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
    const held = linspace(-3, 3, 101).reshape([101, 1]);
    const error = noGrad(() => criterion.forward(model.forward(held), held.square().mul(3).add(5)));
    expect(Math.sqrt(error.itemSync())).toBeLessThan(0.1);
  });

  test("XOR, which no linear map can do", () => {
    const x = tensor([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const y = tensor([[0], [1], [1], [0]]);
    const criterion = new BCEWithLogitsLoss();
    const train = (model: MLP) => {
      const optimizer = new SGD(model.parameters(), { lr: 0.5, momentum: 0.9 });
      for (let step = 0; step < 300; step++) {
        const loss = criterion.forward(model.forward(x), y);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
      }
      return criterion.forward(model.forward(x), y).itemSync();
    };
    expect(train(new MLP(2, [8], 1, { activation: "tanh" }))).toBeLessThan(0.01);
    expect(train(new MLP(2, [], 1))).toBeCloseTo(Math.LN2, 2);
  });

  test("three spirals, with normalisation, a residual block and dropout", () => {
    const perArm = 100;
    const t = linspace(0.15, 1, perArm);
    const arms = [0, 1, 2].map((arm) => {
      const angle = t
        .mul(4)
        .add((arm * 2 * Math.PI) / 3)
        .add(randn([perArm]).mul(0.1));
      return stack([t.mul(angle.cos()), t.mul(angle.sin())], 1);
    });
    const x = stack(arms).reshape([3 * perArm, 2]);
    const classes = tensor(
      Array.from({ length: 3 * perArm }, (_, i) => Math.floor(i / perArm)),
      { dtype: "int32" },
    );
    const model = new Sequential(
      new Linear(2, 64),
      new GELU(),
      new Residual(
        new Sequential(new LayerNorm(64), new Linear(64, 64), new GELU(), new Dropout(0.1)),
      ),
      new Linear(64, 3),
    );
    const before = accuracy(model.eval().forward(x), classes);
    expect(before).toBeLessThan(0.6);
    const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
    const criterion = new CrossEntropyLoss();
    model.train();
    for (let step = 0; step < 300; step++) {
      const loss = criterion.forward(model.forward(x), classes);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
    expect(accuracy(model.eval().forward(x), classes)).toBeGreaterThan(0.97);
  });
});
