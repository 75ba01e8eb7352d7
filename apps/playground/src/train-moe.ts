// A mixture of experts on a mixture of tasks, with and without its balancing loss, beside a dense network.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Layer } from "@gradloom/layers";
import { Expert, MoE } from "@gradloom/moe";
import { Generator, manualSeed } from "@gradloom/tensor";
import * as Plot from "@observablehq/plot";
import { curveColours } from "./curves-chart.ts";
import { colours, drawFigure } from "./figure.ts";
import { duration, short, whole } from "./numbers.ts";
import { toPng } from "./png.ts";
import { createProgress } from "./progress.ts";
import { fitTasks, type Moment, Tasks } from "./tasks.ts";
import { writing } from "./writing.ts";

/** What the command takes from its flags. */
export interface TrainMoEOptions {
  readonly tasks: number;
  readonly experts: number;
  /** Hidden features of an expert, and of the dense network. */
  readonly hidden: number;
  readonly steps: number;
  readonly lr: number;
  readonly batchSize: number;
  readonly seed: number;
  /** The folder that receives the picture. */
  readonly out: string;
  readonly pictures: boolean;
}

interface Trained {
  readonly name: string;
  readonly moments: readonly Moment[];
}

const features = 8;

/**
 * Trains the three networks on the same examples, compares them, draws errors and load.
 *
 * @throws PlaygroundError if training diverges or a file cannot be written; InterruptedError if `signal` is aborted.
 */
export async function trainMoE(
  options: TrainMoEOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { experts, hidden, steps, lr, batchSize, seed, out } = options;
  await writing(() => mkdir(out, { recursive: true }));
  const write = (text = "") => stream.write(`${text}\n`);
  const tasks = new Tasks(options.tasks, features, new Generator(seed));
  const inputDim = features + tasks.count;
  write("A mixture of experts learns a mixture of tasks");
  write(
    `  data      ${tasks.count} linear maps of ${features} features; each example says which it wants`,
  );
  write(
    `  training  ${whole(steps)} steps of Adam, batches of ${batchSize}, lr ${lr}, seed ${seed}`,
  );

  const fit = async (name: string, model: Layer, mixture?: MoE): Promise<Trained> => {
    write(`\n${name}: ${whole(model.numParameters)} parameters`);
    const progress = createProgress(stream, steps);
    const onStep = (step: number, loss: number) => progress.update(step, loss);
    const start = performance.now();
    const fitting = fitTasks(model, mixture, tasks, {
      steps,
      batchSize,
      lr,
      seed,
      signal,
      onStep,
    });
    const moments = await fitting.finally(() => progress.stop());
    write(`trained in ${duration((performance.now() - start) / 1000)}`);
    return { name, moments };
  };
  const mixtureWith = (balanceWeight: number): MoE => {
    manualSeed(seed);
    const sizes = { inputDim, hiddenDim: hidden, outputDim: features, numExperts: experts };
    return new MoE({ ...sizes, topK: 1, normalize: false, balanceWeight });
  };
  const balanced = mixtureWith(1);
  const free = mixtureWith(0);
  manualSeed(seed);
  const trained = [
    await fit(`mixture of ${experts} experts, 1 for each example`, balanced, balanced),
    await fit("the same without the balancing loss", free, free),
    await fit("dense network of the same cost", new Expert(inputDim, hidden, features)),
  ];

  write(`\n${"".padEnd(46)}${"error".padEnd(12)}busiest expert`);
  for (const { name, moments } of trained) {
    const { error, fractions } = moments[moments.length - 1];
    const busiest =
      fractions.length === 0
        ? ""
        : `${(Math.max(...fractions) * fractions.length).toFixed(1)} × an even share`;
    write(`${name.padEnd(46)}${short(error).padEnd(12)}${busiest}`.trimEnd());
  }
  if (!options.pictures) return;

  const file = join(out, "experts.png");
  const png = await toPng(picture(trained, options));
  await writing(() => writeFile(file, png));
  write(`\nwritten\n  ${file}`);
}

/** Errors, and below them which part of the examples each expert got. */
function picture(trained: readonly Trained[], options: TrainMoEOptions): string {
  const { tasks, experts, steps } = options;
  const names = ["mixture", "without balancing", "dense"];
  const error: Plot.PlotOptions = {
    height: 260,
    x: { label: "step", domain: [0, steps], labelArrow: "none" },
    y: {
      type: "log",
      label: "mean squared error on other examples",
      grid: true,
      ticks: 4,
      tickFormat: short,
    },
    marks: trained.map(({ moments }, i) =>
      Plot.line(moments, { x: "step", y: "error", stroke: curveColours[i], strokeWidth: 2 }),
    ),
  };
  const loads = trained.slice(0, 2).map(({ moments }, i): Plot.PlotOptions => {
    const parts = moments.flatMap(({ step, fractions }) =>
      fractions.map((part, expert) => ({ step, part, expert: String(expert) })),
    );
    return {
      height: 220,
      x: { label: "step", domain: [0, steps], labelArrow: "none" },
      y: { label: `load of each expert, ${names[i]}`, domain: [0, 1], percent: false },
      color: { type: "categorical", scheme: "tableau10" },
      marks: [
        Plot.areaY(parts, {
          x: "step",
          y: "part",
          fill: "expert",
          stroke: "white",
          strokeWidth: 0.5,
        }),
        Plot.ruleY([0], { stroke: colours.muted }),
      ],
    };
  });
  return drawFigure({
    title: `${experts} experts on ${tasks} tasks`,
    subtitle: "Each example goes to one expert; a band is the part of the examples that one gets",
    legend: names.map((label, i) => ({ label, colour: curveColours[i], mark: "line" })),
    plots: [error, ...loads],
  });
}
