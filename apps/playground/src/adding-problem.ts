// Which network remembers two numbers across a hundred steps: the LSTM does, the plain one does not.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { manualSeed } from "@gradloom/tensor";
import { errorWithoutMemory, fitReader, SequenceReader, type TestPoint } from "./adding.ts";
import { curveColours, curvesChart, levelColour } from "./curves-chart.ts";
import { duration, short, whole } from "./numbers.ts";
import { toPng } from "./png.ts";
import { createProgress } from "./progress.ts";
import { terminalPlot } from "./terminal-plot.ts";
import { writing } from "./writing.ts";

/** What the command takes from its flags. */
export interface AddingProblemOptions {
  /** Numbers in a sequence. */
  readonly length: number;
  readonly steps: number;
  readonly lr: number;
  readonly batchSize: number;
  readonly hidden: number;
  readonly seed: number;
  /** The folder that receives the picture. */
  readonly out: string;
  readonly plot: boolean;
  readonly pictures: boolean;
}

interface Contestant {
  readonly name: string;
  readonly points: readonly TestPoint[];
}

/** The error at which the problem counts as solved. */
const solved = 0.01;

/**
 * Trains both networks on the same sequences, tests them, draws both curves.
 *
 * @throws PlaygroundError if training diverges or a file cannot be written; InterruptedError if `signal` is aborted.
 */
export async function addingProblem(
  options: AddingProblemOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { length, steps, lr, batchSize, hidden, seed, out } = options;
  await writing(() => mkdir(out, { recursive: true }));
  const write = (text = "") => stream.write(`${text}\n`);
  write(
    "The adding problem: two numbers of a sequence are marked, and their sum is asked for at its end",
  );
  write(
    `  data      ${length} numbers in a sequence, new ones in each step; 1,000 others to test with`,
  );
  write(
    `  training  ${whole(steps)} steps of Adam, batches of ${batchSize}, lr ${lr}, seed ${seed}`,
  );
  write(`  baseline  always saying 1 has a mean squared error of ${errorWithoutMemory.toFixed(3)}`);

  const contestants: Contestant[] = [];
  for (const [name, cell] of [
    ["LSTM", "lstm"],
    ["RNN", "rnn"],
  ] as const) {
    manualSeed(seed);
    const reader = new SequenceReader(cell, hidden);
    write(`\n${name}: ${hidden} hidden features, ${whole(reader.numParameters)} parameters`);
    const progress = createProgress(stream, steps);
    const onStep = (step: number, loss: number) => progress.update(step, loss);
    const fitting = fitReader(reader, { steps, batchSize, lr, length, seed, signal, onStep });
    const points = await fitting.finally(() => progress.stop());
    contestants.push({ name, points });
    write(`trained in ${duration(points[points.length - 1].seconds)}`);
  }

  write(`\n${"".padEnd(6)}${"mean squared error".padEnd(22)}at most ${solved}`);
  for (const { name, points } of contestants) {
    const reached = points.find(({ error }) => error <= solved);
    const error = short(points[points.length - 1].error).padEnd(22);
    const when =
      reached === undefined
        ? "never"
        : `after ${whole(reached.step)} steps, ${duration(reached.seconds)}`;
    write(`${name.padEnd(6)}${error}${when}`);
  }
  if (options.plot) write(`\n${contestants.map(plotOf).join("\n\n")}`);
  if (!options.pictures) return;

  const file = join(out, "curves.png");
  const png = await toPng(picture(contestants, options));
  await writing(() => writeFile(file, png));
  write(`\nwritten\n  ${file}`);
}

function plotOf({ name, points }: Contestant): string {
  return terminalPlot({
    title: `${name}: mean squared error on other sequences, logarithmic`,
    values: points.map(({ error }) => error),
    labels: [String(points[0].step), "step", whole(points[points.length - 1].step)],
    height: 6,
    logarithmic: true,
  });
}

function picture(contestants: readonly Contestant[], options: AddingProblemOptions): string {
  const { length, steps, batchSize, lr, hidden } = options;
  return curvesChart({
    title: `The adding problem: remember two of ${length} numbers`,
    subtitle: `${hidden} hidden features · ${whole(steps)} steps of Adam, batches of ${batchSize}, learning rate ${lr}`,
    x: "step",
    y: "mean squared error on other sequences (logarithmic)",
    logarithmic: true,
    curves: contestants.map(({ name, points }, i) => ({
      label: name,
      colour: curveColours[i],
      points: points.map(({ step, error }) => ({ x: step, y: error })),
    })),
    levels: [
      {
        label: `without memory: ${errorWithoutMemory.toFixed(3)}`,
        y: errorWithoutMemory,
        colour: levelColour,
      },
    ],
  });
}
