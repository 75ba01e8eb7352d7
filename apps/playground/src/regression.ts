// The training loop of the DNN run: what a user of the library would write.
import { setImmediate } from "node:timers/promises";
import type { MLP } from "@gradloom/layers";
import { mseLoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import { fromTypedArray, noGrad, randperm } from "@gradloom/tensor";
import { checkLoss, InterruptedError } from "./errors.ts";
import type { Samples } from "./samples.ts";

/** What {@link fit} needs besides the model and the samples. */
export interface FitOptions {
  readonly steps: number;
  readonly batchSize: number;
  /** The learning rate of the first step; it falls to zero along half a cosine. */
  readonly lr: number;
  readonly signal: AbortSignal;
  /** Called after each step, with its number from 1 and its loss. */
  readonly onStep: (step: number, loss: number) => void;
}

// A loop that never waits would hold back Ctrl-C and the progress bar: it waits a moment this often.
const breath = 30; // milliseconds

/**
 * Minimises the mean squared error of the model on the samples with Adam, on shuffled minibatches.
 *
 * @returns the loss of each step
 * @throws PlaygroundError if a loss is not a finite number, InterruptedError if the signal is aborted.
 */
export async function fit(model: MLP, samples: Samples, options: FitOptions): Promise<number[]> {
  const { steps, batchSize, lr, signal, onStep } = options;
  const optimizer = new Adam(model.parameters(), { lr });
  const batches = minibatches(samples, batchSize);
  const losses: number[] = [];
  let waited = performance.now();

  for (let step = 1; step <= steps; step++) {
    const { x, y } = batches.next().value;
    optimizer.lr = cosine(lr, (step - 1) / steps);

    const prediction = model.forward(fromTypedArray(x, [batchSize, 1]));
    const loss = mseLoss(prediction, fromTypedArray(y, [batchSize, 1]));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();

    const value = loss.itemSync();
    checkLoss(value, step, lr);
    losses.push(value);
    onStep(step, value);

    if (performance.now() - waited > breath) {
      await setImmediate();
      waited = performance.now();
    }
    if (signal.aborted) throw new InterruptedError(`Stopped after step ${step}.`);
  }
  return losses;
}

/** What the model makes of each `x`. */
export function predict(model: MLP, x: Float32Array): Float32Array {
  const prediction = noGrad(() => model.forward(fromTypedArray(x, [x.length, 1])));
  return Float32Array.from(prediction.dataSync());
}

/** Half a cosine from `start` to 0 while `progress` goes from 0 to 1. */
export function cosine(start: number, progress: number): number {
  return start * 0.5 * (1 + Math.cos(Math.PI * progress));
}

/** Minibatches without end: each pass over the samples in a new random order, a rest left out. */
export function* minibatches(samples: Samples, batchSize: number): Generator<Samples, never> {
  const count = samples.x.length;
  for (;;) {
    const order = randperm(count).dataSync();
    for (let start = 0; start + batchSize <= count; start += batchSize) {
      const x = new Float32Array(batchSize);
      const y = new Float32Array(batchSize);
      for (let i = 0; i < batchSize; i++) {
        const row = order[start + i];
        x[i] = samples.x[row];
        y[i] = samples.y[row];
      }
      yield { x, y };
    }
  }
}
