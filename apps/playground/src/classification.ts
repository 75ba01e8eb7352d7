// Training and testing of a classifier of pictures, in the loop that everybody writes.
import type { CNN } from "@gradloom/cnn";
import { CrossEntropyLoss } from "@gradloom/loss";
import { Adam, OneCycleLR } from "@gradloom/optim";
import { Generator, noGrad, randint, randperm } from "@gradloom/tensor";
import { choose, countOf, type Digits, shifted, tensorsOf } from "./digits.ts";
import { InterruptedError } from "./errors.ts";

/** How to train. */
export interface ClassificationOptions {
  readonly epochs: number;
  readonly batchSize: number;
  /** The largest learning rate; it rises, then falls to almost 0. */
  readonly lr: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onStep: (step: number, loss: number) => void;
}

/** Steps of a training run: whole batches only. */
export function stepsOf(
  training: Digits,
  { epochs, batchSize }: { epochs: number; batchSize: number },
): number {
  return epochs * Math.floor(countOf(training) / batchSize);
}

/**
 * Trains with Adam on pictures that are moved a little each time.
 *
 * @returns the loss of each step.
 * @throws InterruptedError if `signal` is aborted.
 */
export async function fitClassifier(
  model: CNN,
  training: Digits,
  options: ClassificationOptions,
): Promise<number[]> {
  const { epochs, batchSize, lr, seed, signal, onStep } = options;
  const generator = new Generator(seed);
  const criterion = new CrossEntropyLoss();
  const optimizer = new Adam(model.parameters(), { lr });
  const schedule = new OneCycleLR(optimizer, lr, { totalSteps: stepsOf(training, options) });
  const losses: number[] = [];
  model.train();
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = await randperm(countOf(training), { generator }).data();
    for (let start = 0; start + batchSize <= order.length; start += batchSize) {
      const ids = Array.from(order.slice(start, start + batchSize), Number);
      const offsets = await randint(-2, 3, [ids.length, 2], { generator }).data();
      const { x, y } = tensorsOf(shifted(choose(training, ids), offsets));
      optimizer.zeroGrad();
      const loss = criterion.forward(model.forward(x), y);
      loss.backward();
      optimizer.step();
      schedule.step();
      losses.push(await loss.item());
      onStep(losses.length, losses[losses.length - 1]);
      if (signal.aborted) throw new InterruptedError("Interrupted.");
    }
  }
  return losses;
}

/** The most likely class of each picture. */
export async function classify(model: CNN, digits: Digits): Promise<Int32Array> {
  model.eval();
  const classes = new Int32Array(countOf(digits));
  const batch = 500;
  for (let start = 0; start < classes.length; start += batch) {
    const ids = Array.from(
      { length: Math.min(batch, classes.length - start) },
      (_, i) => start + i,
    );
    const { x } = tensorsOf(choose(digits, ids));
    classes.set((await noGrad(() => model.forward(x).argmax(1)).data()) as Int32Array, start);
  }
  return classes;
}

/** How often each class (row) was taken for each class (column). */
export function confusionMatrix(
  truth: Int32Array,
  predicted: Int32Array,
  classes: number,
): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  truth.forEach((label, i) => {
    matrix[label][predicted[i]] += 1;
  });
  return matrix;
}
