// The DNN training run: an MLP learns y = 3x² + 5 from noisy samples.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MLP } from "@gradloom/layers";
import { manualSeed } from "@gradloom/tensor";
import type { RunResult } from "./charts.ts";
import { PlaygroundError } from "./errors.ts";
import { loadModel, saveModel } from "./model-file.ts";
import { duration, short, whole } from "./numbers.ts";
import { createProgress } from "./progress.ts";
import { fit, predict } from "./regression.ts";
import { curvePoints, drawSamples, range, rootMeanSquare, trueCurve } from "./samples.ts";
import { terminalPlot } from "./terminal-plot.ts";
import { writing } from "./writing.ts";

/** What the command takes from its flags. */
export interface TrainDnnOptions {
  readonly steps: number;
  readonly lr: number;
  readonly batchSize: number;
  readonly samples: number;
  readonly noise: number;
  readonly hidden: readonly number[];
  readonly seed: number;
  /** The folder that receives the pictures and the model. */
  readonly out: string;
  /** Whether to draw plots of characters. */
  readonly plot: boolean;
  /** Whether to write pictures. */
  readonly pictures: boolean;
}

const heldOutCount = 512;

/**
 * Trains, reports, draws, saves, and loads back.
 *
 * @throws PlaygroundError if the options contradict each other, training diverges, or a file cannot be
 * written; InterruptedError if `signal` is aborted.
 */
export async function trainDnn(
  options: TrainDnnOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { steps, lr, batchSize, samples, noise, hidden, seed, out } = options;
  if (batchSize > samples) {
    throw new PlaygroundError(
      `--batch-size must not be greater than --samples, got ${batchSize} and ${samples}.`,
    );
  }
  await makeFolder(out);
  const write = (text = "") => stream.write(`${text}\n`);

  manualSeed(seed);
  const training = drawSamples(samples, noise);
  const heldOut = drawSamples(heldOutCount, noise);
  const model = new MLP(1, [...hidden], 1);
  const layers = [1, ...hidden, 1].join("–");
  write("An MLP learns y = 3x² + 5 from noisy samples");
  write(`  data      ${whole(samples)} samples, x in [−${range}, ${range}], noise σ = ${noise}`);
  write(`  model     ${layers} with ReLU, ${whole(model.numParameters)} parameters`);
  write(
    `  training  ${whole(steps)} steps of Adam, batches of ${batchSize}, lr ${lr} → 0, seed ${seed}`,
  );
  write();

  const progress = createProgress(stream, steps);
  const start = performance.now();
  let first = 0;
  const onStep = (step: number, loss: number) => {
    if (step === 1) first = performance.now(); // this clock starts with the process
    progress.update(step, loss);
  };
  const fitting = fit(model, training, { steps, lr, batchSize, signal, onStep });
  const losses = await fitting.finally(() => progress.stop());
  const seconds = (performance.now() - start) / 1000;

  const prediction = predict(model, heldOut.x);
  const rmse = rootMeanSquare(prediction, heldOut.y);
  const distance = rootMeanSquare(prediction, Float64Array.from(heldOut.x, trueCurve));
  write();
  write(`trained in     ${duration(seconds)}, ${whole(steps / seconds)} steps/s`);
  write(`first loss     ${duration(first / 1000)} after the start of the process`);
  write(`final loss     ${losses.at(-1)}`);
  write(
    `held-out RMSE  ${rmse.toFixed(4)} on ${heldOutCount} new samples (the noise alone: ${short(noise)})`,
  );
  write(`               ${distance.toFixed(4)} from the curve 3x² + 5 itself`);

  const description = `${layers} with ReLU · ${whole(steps)} steps of Adam, batches of ${batchSize}, learning rate ${lr}`;
  const curve = predict(model, curvePoints);
  const run: RunResult = { training, heldOut, noise, curve, rmse, losses, description };
  if (options.plot) write(`\n${terminalPlots(run)}`);

  const modelFile = join(out, "model.json");
  await writing(() => saveModel(modelFile, model, { inFeatures: 1, hidden, outFeatures: 1 }));
  const loaded = predict(await loadModel(modelFile), heldOut.x);
  if (!loaded.every((value, i) => Object.is(value, prediction[i]))) {
    throw new PlaygroundError(`The model read from ${modelFile} predicts something else.`);
  }

  write("\nwritten");
  if (options.pictures) for (const file of await writePictures(out, run)) write(`  ${file}`);
  write(`  ${modelFile}  (loaded back: the same ${heldOutCount} predictions to the bit)`);
}

function terminalPlots({ curve, losses }: RunResult): string {
  const fitted = terminalPlot({
    title: "fitted curve",
    values: curve,
    labels: [`−${range}`, "x", `${range}`],
    height: 10,
  });
  if (losses.length < 2 || losses.some((loss) => loss <= 0)) return fitted;
  const loss = terminalPlot({
    title: "loss, logarithmic",
    values: losses,
    labels: ["1", "step", whole(losses.length)],
    height: 8,
    logarithmic: true,
  });
  return `${fitted}\n\n${loss}`;
}

async function writePictures(folder: string, run: RunResult): Promise<string[]> {
  // Loaded only now: the libraries that draw are large, and the first step should not wait for them.
  const [{ fitChart, lossChart }, { toPng }] = await Promise.all([
    import("./charts.ts"),
    import("./png.ts"),
  ]);
  const files: string[] = [];
  for (const [name, svg] of [
    ["fitted-curve", fitChart(run)],
    ["loss", lossChart(run)],
  ]) {
    const svgFile = join(folder, `${name}.svg`);
    const pngFile = join(folder, `${name}.png`);
    const png = await toPng(svg);
    await writing(() => Promise.all([writeFile(svgFile, svg), writeFile(pngFile, png)]));
    files.push(svgFile, pngFile);
  }
  return files;
}

async function makeFolder(folder: string): Promise<void> {
  await writing(() => mkdir(folder, { recursive: true }));
}
