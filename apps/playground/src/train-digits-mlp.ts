// An MLP learns to read handwritten digits, through DataLoader and Trainer: a training that can be killed and goes on.
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DataLoader, TensorDataset } from "@gradloom/data";
import { MLP } from "@gradloom/layers";
import { CrossEntropyLoss } from "@gradloom/loss";
import { Adam, OneCycleLR } from "@gradloom/optim";
import { fromTypedArray, manualSeed, type Tensor } from "@gradloom/tensor";
import {
  Accuracy,
  Checkpoints,
  type EpochRecord,
  History,
  ProgressBar,
  TensorBoard,
  Trainer,
} from "@gradloom/train";
import { curveColours, curvesChart } from "./curves-chart.ts";
import { countOf, type Digits, loadDigits, shifted, side } from "./digits.ts";
import type { TrainDigitsMLPOptions } from "./digits-mlp-command.ts";
import { InterruptedError, PlaygroundError } from "./errors.ts";
import { duration, whole } from "./numbers.ts";
import { toPng } from "./png.ts";
import { writing } from "./writing.ts";

/**
 * Trains, tests, prints how long the training has waited for data, draws the loss.
 *
 * @throws PlaygroundError if a file cannot be written, or there is no checkpoint to go on from; InterruptedError if
 *   `signal` is aborted: then there is one.
 */
export async function trainDigitsMLP(
  options: TrainDigitsMLPOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { epochs, lr, batchSize, hidden, heldOut, seed, out } = options;
  const write = (text = "") => stream.write(`${text}\n`);
  await writing(() => mkdir(out, { recursive: true }));
  const checkpoints = new Checkpoints(out, { everySteps: 100 });
  if (options.resume && !existsSync(checkpoints.last)) {
    throw new PlaygroundError(`There is no ${checkpoints.last} to go on from. Leave out --resume.`);
  }

  manualSeed(seed);
  const { training, test } = await loadDigits(seed, heldOut);
  const loader = new DataLoader(datasetOf(withShifts(training)), {
    batchSize,
    shuffle: true,
    seed,
  });
  const validation = new DataLoader(datasetOf(test), { batchSize: 500 });
  const model = new MLP(side * side, [hidden], 10);
  const optimizer = new Adam(model.parameters(), { lr });
  const stepsPerEpoch = loader.length!;
  write("An MLP learns to read handwritten digits (MNIST), with DataLoader and Trainer");
  write(
    `  data      ${whole(countOf(training))} pictures of 28 × 28 to learn from, each also moved four ways; ${whole(countOf(test))} to test with`,
  );
  write(`  model     784–${hidden}–10 with ReLU, ${whole(model.numParameters)} parameters`);
  write(
    `  training  ${epochs} epochs of ${stepsPerEpoch} steps of Adam, batches of ${batchSize}, lr up to ${lr}, seed ${seed}`,
  );
  write();

  const trainer = new Trainer({
    model,
    // Softer targets, since the network can learn all of its pictures by heart.
    loss: new CrossEntropyLoss({ labelSmoothing: 0.1 }),
    optimizer,
    schedule: new OneCycleLR(optimizer, lr, { epochs, stepsPerEpoch }),
    metrics: [new Accuracy()],
    monitor: "accuracy",
    callbacks: [
      new ProgressBar({ stream: stream as NodeJS.WritableStream & { isTTY?: boolean } }),
      checkpoints,
      new History(join(out, "history.jsonl")),
      new TensorBoard(out),
    ],
  });
  const { status, step, history } = await trainer.fit(loader, {
    epochs,
    validation,
    signal,
    ...(options.resume ? { resume: checkpoints.last } : {}),
  });
  if (status === "aborted") {
    throw new InterruptedError(
      `Stopped after step ${step}. Go on with --resume from ${checkpoints.last}.`,
      true,
    );
  }
  report(history, write);

  write("\nwritten");
  const files = [checkpoints.last, checkpoints.bestPath, join(out, "history.jsonl")];
  if (options.pictures) {
    const file = join(out, "loss.png");
    const png = await toPng(lossFigure(history));
    await writing(() => writeFile(file, png));
    files.push(file);
  }
  for (const file of files) write(`  ${file}`);
  write(`  ${out}/events.out.tfevents.…  (tensorboard --logdir ${out})`);
}

/** The pictures, and each of them moved by a pixel down, up, right and left: what an MLP cannot know by itself. */
function withShifts(digits: Digits): Digits {
  const count = countOf(digits);
  const moves = [
    [0, 0],
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ];
  const pictures = new Float32Array(moves.length * digits.pictures.length);
  const labels = new Int32Array(moves.length * count);
  moves.forEach((move, i) => {
    const offsets = Array.from({ length: 2 * count }, (_, k) => move[k % 2]);
    pictures.set(shifted(digits, offsets).pictures, i * digits.pictures.length);
    labels.set(digits.labels, i * count);
  });
  return { pictures, labels };
}

/** Pictures as rows of numbers, with their classes. */
function datasetOf({ pictures, labels }: Digits): TensorDataset<[Tensor, Tensor]> {
  const count = labels.length;
  return new TensorDataset(
    fromTypedArray(pictures, [count, side * side]),
    fromTypedArray(labels, [count]),
  );
}

/** The share of the time of an epoch in which the training has waited for data. */
function waitingShare({ dataSeconds, seconds }: EpochRecord): number {
  return dataSeconds / seconds;
}

function report(history: readonly EpochRecord[], write: (text?: string) => void): void {
  const last = history[history.length - 1];
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const seconds = sum(history.map((record) => record.seconds));
  const waited = sum(history.map((record) => record.dataSeconds));
  const shares = history.map((record) => `${(100 * waitingShare(record)).toFixed(1)}`);
  write();
  write(`trained in       ${duration(seconds)}, ${whole(last.step / seconds)} steps/s`);
  write(
    `waited for data  ${((100 * waited) / seconds).toFixed(1)} % of it; by epoch ${shares.join(", ")} %`,
  );
  const accuracy = last.validation?.accuracy as number;
  write(`test accuracy    ${(100 * accuracy).toFixed(2)} %`);
}

function lossFigure(history: readonly EpochRecord[]): string {
  const points = (of: (record: EpochRecord) => number) =>
    history.map((record) => ({ x: record.epoch, y: of(record) }));
  const last = history[history.length - 1].validation;
  return curvesChart({
    title: "An MLP learns to read handwritten digits",
    subtitle: `test accuracy ${(100 * (last?.accuracy as number)).toFixed(2)} %`,
    x: "epoch",
    y: "cross-entropy",
    logarithmic: true,
    curves: [
      {
        label: "training",
        colour: curveColours[2],
        points: points(({ train }) => train.loss),
      },
      {
        label: "test",
        colour: curveColours[0],
        points: points(({ validation }) => validation?.loss ?? Number.NaN),
      },
    ],
  });
}
