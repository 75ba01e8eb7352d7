import type { Layer } from "@gradloom/layers";
import { Adam } from "@gradloom/optim";
import { arange, cat, manualSeed, randint, randn, type Tensor } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { Expert, type LoadStatistics, loadStatistics, MoE } from "../src/index.ts";

const tasks = 4;
const features = 8;

/** Each example says which of four linear maps it wants. */
function examples(maps: Tensor): { x: Tensor; y: Tensor } {
  const task = randint(tasks, [256]);
  const mark = task.unsqueeze(1).eq(arange(tasks)).to("float32"); // [256, tasks]
  const v = randn([256, features]);
  const y = v.unsqueeze(1).matmul(maps.indexSelect(0, task)).squeeze(1);
  return { x: cat([v, mark.mul(2)], 1), y };
}

/** The mean squared error after training, on new examples. */
function train(model: Layer, maps: Tensor, auxiliary: () => Tensor | undefined): number {
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const errorOf = ({ x, y }: ReturnType<typeof examples>) =>
    model.forward(x).sub(y).square().mean();
  for (let step = 0; step < 300; step++) {
    const error = errorOf(examples(maps));
    const aux = auxiliary();
    const loss = aux === undefined ? error : error.add(aux);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  }
  return errorOf(examples(maps)).itemSync();
}

function mixture(maps: Tensor, balanceWeight: number): { error: number; load: LoadStatistics } {
  manualSeed(3);
  const moe = new MoE({
    inputDim: features + tasks,
    hiddenDim: 16,
    outputDim: features,
    numExperts: 8,
    topK: 1,
    normalize: false,
    balanceWeight,
  });
  const error = train(moe, maps, () => moe.auxLoss);
  return { error, load: loadStatistics(moe.lastRouting?.load.dataSync() ?? []) };
}

test("on four tasks a mixture beats the dense model of the same cost; without balance it collapses", {
  timeout: 60_000,
}, () => {
  manualSeed(1);
  const maps = randn([tasks, features, features]).div(Math.sqrt(features));
  maps.dataSync();
  const balanced = mixture(maps, 1);
  const free = mixture(maps, 0);
  manualSeed(3);
  const dense = train(new Expert(features + tasks, 16, features), maps, () => undefined);
  console.log(
    `error: ${balanced.error.toFixed(3)} mixture, ${free.error.toFixed(3)} without balance, ${dense.toFixed(3)} dense; ` +
      `imbalance ${balanced.load.imbalance.toFixed(2)} and ${free.load.imbalance.toFixed(2)}`,
  );
  expect(balanced.error).toBeLessThan(0.6 * dense);
  expect(balanced.load.imbalance).toBeLessThan(2.5);
  expect(free.load.imbalance).toBeGreaterThan(1.4 * balanced.load.imbalance);
});
