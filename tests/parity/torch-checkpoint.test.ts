import { join } from "node:path";
import { loadTorch } from "@gradloom/checkpoint";
import { Linear, Sequential } from "@gradloom/layers";
import {
  Adam,
  CosineAnnealingLR,
  type OptimizerStateDict,
  type ScheduleState,
} from "@gradloom/optim";
import { Tensor, tensor } from "@gradloom/tensor";
import { expect, test } from "vitest";

/** What `torch.save` wrote of a model, an optimizer and a schedule after three steps. */
interface Training {
  readonly model: Record<string, Tensor>;
  readonly optimizer: OptimizerStateDict;
  readonly schedule: ScheduleState;
}

const file = join(import.meta.dirname, "../../packages/checkpoint/test/fixtures/training.pt");

test("a training that PyTorch began goes on here", async () => {
  const saved = await loadTorch<Training>(file);
  const shapes = Object.values(saved.optimizer.state).map(
    ({ exp_avg }) => (exp_avg as Tensor).shape,
  );
  const parameters = shapes.map((shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(new Float32Array(size), { requiresGrad: true })
      .reshape([...shape])
      .detach();
  });
  const optimizer = new Adam(parameters, { lr: 1 });
  const schedule = new CosineAnnealingLR(optimizer, 5);
  optimizer.loadStateDict(saved.optimizer);
  schedule.loadStateDict(saved.schedule);

  const [group] = optimizer.stateDict().param_groups;
  const [theirs] = saved.optimizer.param_groups;
  for (const name of ["lr", "initial_lr", "betas", "eps", "weight_decay", "amsgrad"]) {
    expect([name, group[name]]).toEqual([name, theirs[name]]);
  }
  const { state } = optimizer.stateDict();
  for (const [index, entries] of Object.entries(saved.optimizer.state)) {
    for (const [name, value] of Object.entries(entries)) {
      const mine = state[index][name];
      if (!(value instanceof Tensor)) expect(mine).toEqual(value);
      else if (name === "step") expect(mine).toBe(value.itemSync());
      else expect((mine as Tensor).arraySync()).toEqual(value.arraySync());
    }
  }
  expect(schedule.getLastLr()).toEqual([optimizer.lr]);
  schedule.step();
  // 0.01 · (1 + cos(π · 4 / 10)) / 2
  expect(optimizer.lr).toBeCloseTo(0.01 * (1 + Math.cos(0.4 * Math.PI)) * 0.5, 12);
});

test("a model of the same layers takes its weights", async () => {
  const { model } = await loadTorch<Training>(file);
  const net = new Sequential(new Linear(3, 4));
  net.loadStateDict(model, { strict: false });
  expect(net.stateDict()["0.weight"].arraySync()).toEqual(model["0.weight"].arraySync());
});
