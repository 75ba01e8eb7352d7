// A convolutional network learns to tell sounds apart from their pictures: frequency upwards, time to the right.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CNN } from "@gradloom/cnn";
import {
  amplitudeToDb,
  DataLoader,
  encodeWav,
  melSpectrogram,
  TensorDataset,
} from "@gradloom/data";
import { type Layer, MLP } from "@gradloom/layers";
import { CrossEntropyLoss } from "@gradloom/loss";
import { AdamW, OneCycleLR } from "@gradloom/optim";
import { cat, fromTypedArray, manualSeed, noGrad, realize, type Tensor } from "@gradloom/tensor";
import { confusionMatrix } from "./classification.ts";
import { confusionFigure } from "./confusion-figure.ts";
import { InterruptedError } from "./errors.ts";
import { duration, whole } from "./numbers.ts";
import { toPng } from "./png.ts";
import { createProgress, type Progress } from "./progress.ts";
import { soundsFigure } from "./sound-figures.ts";
import { statisticNames, statistics } from "./sound-statistics.ts";
import { kinds, makeSounds, type Sounds, sampleRate, samples } from "./sounds.ts";
import { writing } from "./writing.ts";

/** What the command takes from its flags. */
export interface TrainSoundOptions {
  readonly epochs: number;
  readonly lr: number;
  readonly batchSize: number;
  /** Sounds of each kind to learn from. */
  readonly perKind: number;
  /** Sounds of each kind that are kept for the test. */
  readonly heldOut: number;
  readonly seed: number;
  /** The folder that receives pictures and sounds. */
  readonly out: string;
  readonly pictures: boolean;
}

/** Bands of the pictures. */
const bands = 40;

/**
 * Trains on pictures and, to compare, on statistics of the waveform; tests, prints the confusion matrix, draws.
 *
 * @throws PlaygroundError if a file cannot be written; InterruptedError if `signal` is aborted.
 */
export async function trainSound(
  options: TrainSoundOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { epochs, lr, batchSize, perKind, heldOut, seed, out } = options;
  await writing(() => mkdir(out, { recursive: true }));
  const write = (text = "") => stream.write(`${text}\n`);

  manualSeed(seed);
  const training = makeSounds(perKind, seed);
  const test = makeSounds(heldOut, seed + 2 ** 32);
  const model = new CNN({
    inChannels: 1,
    numClasses: kinds.length,
    channels: [16, 32, 64],
    hidden: 64,
    dropout: 0.3,
    poolSize: 4,
  });
  const steps = epochs * Math.floor(training.labels.length / batchSize);
  write("A convolutional network learns to tell sounds apart by their mel spectrograms");
  write(`  sounds    ${kinds.join(", ")}`);
  write(
    `  data      ${whole(training.labels.length)} seconds to learn from, ${whole(test.labels.length)} to test with; any pitch, loudness and noise`,
  );
  write(
    `  model     three convolutions over ${bands} bands, ${whole(model.numParameters)} parameters`,
  );
  write(
    `  training  ${epochs} epochs, ${whole(steps)} steps of AdamW, batches of ${batchSize}, lr up to ${lr}, seed ${seed}`,
  );
  write();

  const progress = createProgress(stream, steps);
  const start = performance.now();
  const pictures = melPictures(training);
  const run = { ...options, steps, signal, progress };
  const fitting = fit(model, pictures, training.labels, run);
  const waited = await fitting.finally(() => progress.stop());
  const seconds = (performance.now() - start) / 1000;
  const heard = melPictures(test);
  const predicted = await classify(model, heard);

  const simple = new MLP(statisticNames.length, [64, 64], kinds.length);
  const { features, scale } = featuresOf(training);
  await fit(simple, features, training.labels, { ...run, progress: undefined });
  const guessed = await classify(simple, featuresOf(test, scale).features);

  const matrix = confusionMatrix(test.labels, predicted, kinds.length);
  write();
  write(
    `trained in     ${duration(seconds)}, ${whole(steps / seconds)} steps/s, ${(waited * 100).toFixed(1)} % of it waiting for data`,
  );
  write(`test accuracy  ${percent(test.labels, predicted)} by the pictures`);
  write(
    `               ${percent(test.labels, guessed)} by an MLP on ${statisticNames.length} statistics of the waveform: ${statisticNames.join(", ")}`,
  );
  write("\nconfusion matrix: rows are what it is, columns what the model says");
  write(table(matrix));
  if (!options.pictures) return;

  write("\nwritten");
  const figures: [name: string, svg: string][] = [
    ["sounds", await soundsFigure(test, heard)],
    [
      "confusion",
      confusionFigure(matrix, { what: "sounds", labels: `in the order ${kinds.join(", ")}` }),
    ],
  ];
  const files: [name: string, bytes: Uint8Array][] = [];
  for (const [name, svg] of figures) files.push([`${name}.png`, await toPng(svg)]);
  for (let kind = 0; kind < kinds.length; kind++) {
    const sound = test.waveforms.subarray(kind * samples, (kind + 1) * samples);
    files.push([`${kinds[kind].replace(" ", "-")}.wav`, await encodeWav(loud(sound), sampleRate)]);
  }
  for (const [name, bytes] of files) {
    const file = join(out, name);
    await writing(() => writeFile(file, bytes));
    write(`  ${file}`);
  }
}

/** `[count, 1, bands, frames]`: loudness over frequency and time, each picture with mean 0 and variance 1. */
function melPictures({ waveforms, labels }: Sounds): Tensor {
  const count = labels.length;
  const batch = 256;
  const parts: Tensor[] = [];
  for (let start = 0; start < count; start += batch) {
    const end = Math.min(count, start + batch);
    const x = fromTypedArray(waveforms.subarray(start * samples, end * samples), [
      end - start,
      samples,
    ]);
    const mel = melSpectrogram(x, { sampleRate, nFft: 256, hopLength: 128, nMels: bands });
    const picture = amplitudeToDb(mel, { topDb: 60 });
    const centred = picture.sub(picture.mean([1, 2], { keepdim: true }));
    parts.push(centred.div(picture.std([1, 2], { keepdim: true })).unsqueeze(1));
  }
  const pictures = cat(parts, 0);
  realize(pictures);
  return pictures;
}

/** Statistics of each waveform, scaled by the mean and the deviation over those that are learned from. */
function featuresOf(
  sounds: Sounds,
  scale?: readonly [Tensor, Tensor],
): { features: Tensor; scale: readonly [Tensor, Tensor] } {
  const rows = fromTypedArray(statistics(sounds), [sounds.labels.length, statisticNames.length]);
  const [mean, deviation] = scale ?? [rows.mean(0), rows.std(0)];
  return { features: rows.sub(mean).div(deviation), scale: [mean, deviation] };
}

interface Fit {
  readonly epochs: number;
  readonly lr: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly steps: number;
  readonly signal: AbortSignal;
  readonly progress: Progress | undefined;
}

/** Trains a classifier. @returns which part of the time was spent waiting for data. */
async function fit(model: Layer, x: Tensor, labels: Int32Array, options: Fit): Promise<number> {
  const { epochs, lr, batchSize, seed, steps, signal, progress } = options;
  const dataset = new TensorDataset(x, fromTypedArray(labels));
  const loader = new DataLoader(dataset, { batchSize, shuffle: true, dropLast: true, seed });
  const criterion = new CrossEntropyLoss({ labelSmoothing: 0.05 });
  const optimizer = new AdamW(model.parameters(), { lr, weightDecay: 0.01 });
  const schedule = new OneCycleLR(optimizer, lr, { totalSteps: steps });
  const start = performance.now();
  let waited = 0;
  let step = 0;
  model.train();
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const [pictures, kind] of loader) {
      optimizer.zeroGrad();
      const loss = criterion.forward(model.forward(pictures), kind);
      loss.backward();
      optimizer.step();
      schedule.step();
      step += 1;
      progress?.update(step, await loss.item());
      if (signal.aborted) throw new InterruptedError("Interrupted.");
    }
    waited += loader.stats.waited;
  }
  return waited / (performance.now() - start);
}

/** The most likely kind of each sound. */
async function classify(model: Layer, x: Tensor): Promise<Int32Array> {
  model.eval();
  const loader = new DataLoader(new TensorDataset(x), { batchSize: 200 });
  const found: number[] = [];
  for await (const [pictures] of loader) {
    found.push(...(await noGrad(() => model.forward(pictures).argmax(1)).data()));
  }
  return Int32Array.from(found);
}

/** As loud as it can be. */
function loud(sound: Float32Array): Tensor {
  const largest = sound.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-9);
  return fromTypedArray(sound.map((x) => (0.9 * x) / largest));
}

function percent(labels: Int32Array, predicted: Int32Array): string {
  const right = predicted.filter((kind, i) => kind === labels[i]).length;
  return `${((100 * right) / labels.length).toFixed(2)} %`;
}

function table(matrix: readonly (readonly number[])[]): string {
  const width = Math.max(...kinds.map((kind) => kind.length));
  const short = kinds.map((kind) => kind.replace("vowel ", "").replace("chirp ", "").slice(0, 5));
  const line = (head: string, cells: readonly (string | number)[]) =>
    `  ${head.padStart(width)} ${cells.map((cell) => String(cell).padStart(6)).join("")}`;
  const rows = matrix.map((row, kind) =>
    line(
      kinds[kind],
      row.map((count) => (count === 0 ? "·" : count)),
    ),
  );
  return [line("", short), ...rows].join("\n");
}
