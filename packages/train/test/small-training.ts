// A small problem for tests: classes of points, a model that learns them in a moment.
import { DataLoader, TensorDataset } from "@gradloom/data";
import { MLP } from "@gradloom/layers";
import { CrossEntropyLoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import { manualSeed, randn, type Tensor } from "@gradloom/tensor";

/** 60 points in four dimensions, three classes. */
export function points(count = 60): { x: Tensor; y: Tensor } {
  const x = randn([count, 4]);
  return { x, y: x.slice(1, 0, 3).argmax(1) };
}

interface SmallTraining {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly loader: DataLoader<[Tensor, Tensor]>;
  readonly model: MLP;
  readonly optimizer: Adam;
  readonly loss: CrossEntropyLoss;
}

/** What most tests train. */
export function smallTraining(count = 60, batchSize = 10): SmallTraining {
  manualSeed(3);
  const { x, y } = points(count);
  const loader = new DataLoader(new TensorDataset(x, y), { batchSize, shuffle: true });
  const model = new MLP(4, [8], 3, { dropout: 0.1 });
  const optimizer = new Adam(model.parameters(), { lr: 0.02 });
  return { x, y, loader, model, optimizer, loss: new CrossEntropyLoss() };
}

/** All parameters in one list. */
export function weightsOf(model: MLP): number[] {
  return model.parameters().flatMap((parameter) => Array.from(parameter.dataSync()));
}
