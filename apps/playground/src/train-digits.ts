// A convolutional network learns to read handwritten digits.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CNN, type Conv2d } from "@gradloom/cnn";
import { manualSeed } from "@gradloom/tensor";
import { classify, confusionMatrix, fitClassifier, stepsOf } from "./classification.ts";
import { confusionFigure } from "./confusion-figure.ts";
import { featuresFigure, filtersFigure, predictionsFigure } from "./digit-figures.ts";
import { countOf, loadDigits } from "./digits.ts";
import { duration, whole } from "./numbers.ts";
import { toPng } from "./png.ts";
import { createProgress } from "./progress.ts";
import { writing } from "./writing.ts";

/** What the command takes from its flags. */
export interface TrainDigitsOptions {
  readonly epochs: number;
  readonly lr: number;
  readonly batchSize: number;
  /** Pictures that are kept for the test. */
  readonly heldOut: number;
  /** Channels of the convolutions. */
  readonly channels: readonly number[];
  readonly seed: number;
  /** The folder that receives the pictures. */
  readonly out: string;
  readonly pictures: boolean;
}

/**
 * Trains, tests, prints the confusion matrix, draws.
 *
 * @throws PlaygroundError if a file cannot be written; InterruptedError if `signal` is aborted.
 */
export async function trainDigits(
  options: TrainDigitsOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { epochs, lr, batchSize, heldOut, channels, seed, out } = options;
  await writing(() => mkdir(out, { recursive: true }));
  const write = (text = "") => stream.write(`${text}\n`);

  manualSeed(seed);
  const { training, test } = await loadDigits(seed, heldOut);
  const model = new CNN({
    inChannels: 1,
    numClasses: 10,
    channels,
    hidden: 128,
    dropout: 0.3,
    poolSize: 7,
  });
  const steps = stepsOf(training, options);
  write("A convolutional network learns to read handwritten digits (MNIST)");
  write(
    `  data      ${whole(countOf(training))} pictures of 28 × 28 to learn from, ${whole(countOf(test))} to test with`,
  );
  write(
    `  model     convolutions with ${channels.join(", ")} channels, ${whole(model.numParameters)} parameters`,
  );
  write(
    `  training  ${epochs} epochs, ${whole(steps)} steps of Adam, batches of ${batchSize}, lr up to ${lr}, seed ${seed}`,
  );
  write();

  const progress = createProgress(stream, steps);
  const start = performance.now();
  const onStep = (step: number, loss: number) => progress.update(step, loss);
  const fitting = fitClassifier(model, training, { epochs, batchSize, lr, seed, signal, onStep });
  await fitting.finally(() => progress.stop());
  const seconds = (performance.now() - start) / 1000;

  const predicted = await classify(model, test);
  const right = predicted.filter((digit, i) => digit === test.labels[i]).length;
  const accuracy = right / countOf(test);
  const matrix = confusionMatrix(test.labels, predicted, 10);
  write();
  write(`trained in     ${duration(seconds)}, ${whole(steps / seconds)} steps/s`);
  write(
    `test accuracy  ${(100 * accuracy).toFixed(2)} %, ${countOf(test) - right} mistakes in ${whole(countOf(test))}`,
  );
  write("\nconfusion matrix: rows are what it is, columns what the model says");
  write(table(matrix));
  if (!options.pictures) return;

  const figures: [name: string, svg: string][] = [
    ["predictions", predictionsFigure(test, predicted, accuracy)],
    ["confusion", confusionFigure(matrix, { what: "digits", labels: "0 to 9" })],
    ["filters", await filtersFigure((model.features.at(0) as Conv2d).weight)],
    ["features", await featuresFigure(model, test, 0)],
  ];
  write("\nwritten");
  for (const [name, svg] of figures) {
    const file = join(out, `${name}.png`);
    const png = await toPng(svg);
    await writing(() => writeFile(file, png));
    write(`  ${file}`);
  }
}

function table(matrix: readonly (readonly number[])[]): string {
  const line = (head: string, cells: readonly (string | number)[]) =>
    `  ${head.padStart(2)} ${cells.map((cell) => String(cell).padStart(5)).join("")}`;
  const rows = matrix.map((row, digit) =>
    line(
      String(digit),
      row.map((count) => (count === 0 ? "·" : count)),
    ),
  );
  return [
    line(
      "",
      matrix.map((_, digit) => digit),
    ),
    ...rows,
  ].join("\n");
}
