import { Linear } from "@gradloom/layers";
import { MSELoss } from "@gradloom/loss";
import { SGD } from "@gradloom/optim";
import { tensor } from "@gradloom/tensor";
import { Trainer } from "@gradloom/train";

const model = new Linear(1, 1, { bias: false });
const optimizer = new SGD(model.parameters(), { lr: 0.5 });
const trainer = new Trainer({ model, loss: new MSELoss(), optimizer });
const data = [[tensor([[1]]), tensor([[3]])]] as const;

export const result: unknown = trainer
  .fit(data, { epochs: 30 })
  .then(async ({ step }) => [step, Math.round((await model.weight.item()) * 1000)]);
export const expected: unknown = [30, 3000];
