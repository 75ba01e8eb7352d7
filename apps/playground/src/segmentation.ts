// The networks that label pixels, their training, and how well they do it.
import { Conv2d } from "@gradloom/cnn";
import { Module, ReLU, Sequential } from "@gradloom/layers";
import { CrossEntropyLoss } from "@gradloom/loss";
import { Adam, OneCycleLR } from "@gradloom/optim";
import { noGrad, type Tensor, zerosLike } from "@gradloom/tensor";
import type { UNet } from "@gradloom/unet";
import { checkLoss, InterruptedError } from "./errors.ts";
import {
  chooseScenes,
  countOfScenes,
  kinds,
  type SceneArtist,
  type Scenes,
  tensorsOf,
} from "./scenes.ts";

/** Pictures `[batch, 3, height, width]` to logits `[batch, kinds, height, width]`. */
export type PixelLabeller = Module & { forward(x: Tensor): Tensor };

/** A network of 1 × 1 convolutions: it sees each pixel's colour, and nothing around it. */
export function pixelClassifier(): PixelLabeller {
  return new Sequential(
    new Conv2d(3, 32, 1),
    new ReLU(),
    new Conv2d(32, 32, 1),
    new ReLU(),
    new Conv2d(32, kinds.length, 1),
  );
}

/**
 * A U-Net whose skip connections are cut: its decoder gets zeros in place of what the encoder saw at its size. It has the same
 * parameters, and knows what is where only from its deepest level.
 */
export class WithoutSkips extends Module {
  readonly unet: UNet;

  constructor(unet: UNet) {
    super();
    this.unet = unet;
  }

  forward(x: Tensor): Tensor {
    const { unet } = this;
    const levels = [unet.inc.forward(x)];
    for (let level = 1; level <= unet.depth; level++) {
      levels.push(unet[`down${level}`].forward(levels[level - 1]));
    }
    let y = levels[unet.depth];
    for (let i = 1; i <= unet.depth; i++) {
      y = unet[`up${i}`].forward(y, zerosLike(levels[unet.depth - i]));
    }
    return unet.outc.forward(y);
  }
}

/** How to train. */
export interface LabellingOptions {
  readonly steps: number;
  readonly batchSize: number;
  /** The largest learning rate; it rises, then falls to almost 0. */
  readonly lr: number;
  readonly signal: AbortSignal;
  readonly onStep: (step: number, loss: number) => void;
}

/**
 * Trains with Adam, on pictures that are drawn anew for each step.
 *
 * @throws PlaygroundError if a loss is not a finite number, InterruptedError if `signal` is aborted.
 */
export async function fitLabeller(
  model: PixelLabeller,
  artist: SceneArtist,
  { steps, batchSize, lr, signal, onStep }: LabellingOptions,
): Promise<void> {
  const criterion = new CrossEntropyLoss();
  const optimizer = new Adam(model.parameters(), { lr });
  const schedule = new OneCycleLR(optimizer, lr, { totalSteps: steps });
  model.train();
  for (let step = 1; step <= steps; step++) {
    const { x, y } = tensorsOf(artist.draw(batchSize));
    optimizer.zeroGrad();
    const loss = criterion.forward(model.forward(x), y);
    loss.backward();
    optimizer.step();
    schedule.step();
    const value = await loss.item();
    checkLoss(value, step, lr);
    onStep(step, value);
    if (signal.aborted) throw new InterruptedError(`Stopped after step ${step}.`);
  }
}

/** The likeliest label of each pixel. */
export async function labelsOf(model: PixelLabeller, scenes: Scenes): Promise<Int32Array> {
  model.eval();
  const labels = new Int32Array(scenes.labels.length);
  const batch = 25;
  for (let start = 0; start < countOfScenes(scenes); start += batch) {
    const { x } = tensorsOf(chooseScenes(scenes, start, start + batch));
    const chosen = noGrad(() => model.forward(x).argmax(1));
    labels.set(
      (await chosen.data()) as Int32Array,
      (start * labels.length) / countOfScenes(scenes),
    );
  }
  return labels;
}

/** For each kind: the pixels that both call so, divided by the pixels that one of them does; 1 if there are none. */
export function intersectionOverUnion(truth: Int32Array, predicted: Int32Array): number[] {
  const both = kinds.map(() => 0);
  const either = kinds.map(() => 0);
  truth.forEach((label, i) => {
    either[label] += 1;
    if (predicted[i] === label) both[label] += 1;
    else either[predicted[i]] += 1;
  });
  return kinds.map((_, label) => (either[label] === 0 ? 1 : both[label] / either[label]));
}

/** The mean over the kinds. */
export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
