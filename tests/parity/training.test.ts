import { Linear, ReLU, Sequential, Tanh } from "@gradloom/layers";
import { CrossEntropyLoss, MSELoss } from "@gradloom/loss";
import { Adam, AdamW, SGD } from "@gradloom/optim";
import { afterAll, describe, test } from "vitest";
import { Comparison } from "./compare.ts";
import { type Case, readFixtures, restore, type StoredTensor } from "./fixture.ts";

type State = Readonly<Record<string, StoredTensor>>;

interface TrainingCase extends Case {
  readonly loss: keyof typeof criteria;
  readonly optimizer: keyof typeof optimizers;
  readonly options: Readonly<Record<string, number>>;
  readonly x: StoredTensor;
  readonly target: StoredTensor;
  readonly before: State;
  /** The loss of each step, before the step. */
  readonly losses: readonly number[];
  readonly after: State;
}

const criteria = { mse: MSELoss, crossEntropy: CrossEntropyLoss };
const optimizers = { SGD, Adam, AdamW };

describe("ten training steps of an MLP", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("training")));
  test.each(readFixtures<TrainingCase>("training"))("$op", (c) => {
    const net = new Sequential(
      new Linear(4, 8),
      new ReLU(),
      new Linear(8, 8),
      new Tanh(),
      new Linear(8, 3),
    );
    const state = Object.entries(c.before).map(([key, stored]) => [key, restore(stored)]);
    net.loadStateDict(Object.fromEntries(state));
    const criterion = new criteria[c.loss]();
    const optimizer = new optimizers[c.optimizer](net.parameters(), { lr: 0.1, ...c.options });
    const x = restore(c.x);
    const target = restore(c.target);
    const losses = c.losses.map(() => {
      optimizer.zeroGrad();
      const loss = criterion.forward(net.forward(x), target);
      loss.backward();
      optimizer.step();
      return loss.itemSync();
    });
    comparison.checkNumbers(c.op, "values", losses, c.losses, "float32", "losses");
    const after = net.stateDict();
    for (const [key, stored] of Object.entries(c.after)) {
      comparison.check(c.op, "values", after[key].detach(), stored, `${key} after ten steps`);
    }
  });
});
