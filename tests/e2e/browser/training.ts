import { MLP } from "@gradloom/layers";
import { mseLoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import { linspace, manualSeed, setNumThreads } from "@gradloom/tensor";

/** What a training run gives: equal wherever it runs, up to how the host rounds a multiply-add. */
export interface Outcome {
  readonly losses: readonly number[];
  readonly prediction: readonly number[];
}

/** Fits y = 3x² + 5, in Node as in a page. */
export async function train(threads: number): Promise<Outcome> {
  setNumThreads(threads);
  manualSeed(0);
  const x = linspace(-1, 1, 1024).reshape([1024, 1]);
  const y = x.square().mul(3).add(5);
  const model = new MLP(1, [64, 64], 1);
  const optimizer = new Adam(model.parameters(), { lr: 1e-2 });
  const losses: number[] = [];
  for (let step = 0; step < 300; step++) {
    const loss = mseLoss(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    // Both ways of reading: a page may not block, but it may compute at once.
    if (step % 100 === 99) losses.push(step === 99 ? loss.itemSync() : await loss.item());
  }
  const prediction = await model.forward(linspace(-1, 1, 5).reshape([5, 1])).data();
  return { losses, prediction: Array.from(prediction) };
}
