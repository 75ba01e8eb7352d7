import { Linear } from "@gradloom/layers";
import { MSELoss } from "@gradloom/loss";
import { SGD } from "@gradloom/optim";
import { ArgumentError } from "@gradloom/tensor";
import { expect, test } from "vitest";
import {
  Accuracy,
  Checkpoints,
  ConfusionMatrix,
  EarlyStopping,
  History,
  MeanIoU,
  Perplexity,
  ProgressBar,
  SummaryWriter,
  TensorBoard,
  Trainer,
} from "../src/index.ts";

const model = new Linear(2, 3);
const usual = { model, loss: new MSELoss(), optimizer: new SGD(model.parameters(), { lr: 0.1 }) };

test.each([
  [{ model: 3 }, "model must be a Module, got 3."],
  [{ loss: "mse" }, "loss must be a module or a function, got mse."],
  [{ metrics: ["accuracy"] }, "metrics must be a list of them, or an object, got accuracy"],
  [{ callbacks: [3] }, "callbacks must be a list of objects, got 3."],
  [{ monitor: "acuracy", metrics: [new Accuracy()] }, "one of loss, accuracy, got acuracy."],
])("what a trainer cannot use is refused at once: %o", (options, message) => {
  const make = () => new Trainer({ ...usual, ...options } as never);
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(message);
});

test("nothing is written into a folder called undefined", () => {
  for (const Writer of [Checkpoints, History, TensorBoard, SummaryWriter]) {
    expect(() => new Writer(undefined as never)).toThrow(
      new RegExp(`^${Writer.name}: (folder|path) must be a path, got undefined\\.$`),
    );
  }
});

test("metrics take tensors", () => {
  for (const metric of [new Accuracy(), new ConfusionMatrix(2), new MeanIoU(2), new Perplexity()]) {
    expect(() => metric.update([1] as never, [1] as never)).toThrow("it must be given a tensor");
  }
});

test("options that there are not are refused, where they were ignored", async () => {
  const options = { topk: 5 } as never;
  const calls = [
    () => new Accuracy(options),
    () => new ConfusionMatrix(2, options),
    () => new MeanIoU(2, options),
    () => new Perplexity(options),
    () => new EarlyStopping(options),
    () => new ProgressBar(options),
    () => new Checkpoints("folder", options),
    () => new TensorBoard("folder", options),
    () => new SummaryWriter("folder", options),
  ];
  for (const call of calls) {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(/^\w+: options must be among .*, got topk\.$/);
  }
  await expect(new Trainer(usual).evaluate([], options)).rejects.toThrow(
    "evaluate: options must be among signal, got topk.",
  );
});
