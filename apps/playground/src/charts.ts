// The two pictures of the DNN run.
import * as Plot from "@observablehq/plot";
import { colours, drawFigure } from "./figure.ts";
import { short, whole } from "./numbers.ts";
import { curvePoints, range, type Samples, trueCurve } from "./samples.ts";

/** What the pictures are drawn from. */
export interface RunResult {
  readonly training: Samples;
  readonly heldOut: Samples;
  /** The standard deviation of the noise in the samples. */
  readonly noise: number;
  /** What the model makes of each `x` of {@link curvePoints}. */
  readonly curve: Float32Array;
  /** The root mean squared error on the held-out samples. */
  readonly rmse: number;
  /** The loss of each step. */
  readonly losses: readonly number[];
  /** The model and how it was trained, in a few words. */
  readonly description: string;
}

// More would make the pictures large and look no different.
const mostSamples = 1024;
const mostSteps = 4000;

const axisX = { labelAnchor: "center", labelArrow: "none", labelOffset: 38 } as const;

/** The samples, the curve to learn and the fitted curve; below them what separates the two, magnified. */
export function fitChart(run: RunResult): string {
  const { noise } = run;
  const training = thinned(points(run.training), mostSamples);
  const heldOut = points(run.heldOut);
  const curve = Array.from(curvePoints, (x, i) => ({
    x,
    fit: run.curve[i],
    truth: trueCurve(x),
    error: run.curve[i] - trueCurve(x),
  }));
  const shown = training.length < run.training.x.length ? ` (${whole(training.length)} shown)` : "";
  const x = { ...axisX, domain: [-range, range], ticks: 13, label: "x" };
  const extent = largest([...training, ...heldOut, ...curve]) * 1.05;

  return drawFigure({
    title: "An MLP learns y = 3x² + 5",
    subtitle: `${run.description} · held-out RMSE ${short(run.rmse)}`,
    legend: [
      {
        label: `training samples${shown}`,
        colour: colours.samples,
        mark: "dot",
      },
      {
        label: "held-out samples",
        colour: colours.heldOut,
        mark: "dot",
      },
      { label: "fitted curve", colour: colours.fit, mark: "line" },
      { label: "3x² + 5", colour: colours.truth, mark: "dashes" },
      ...(noise > 0
        ? [
            {
              label: `noise, ±σ = ±${short(noise)}`,
              colour: colours.samples,
              mark: "band",
            } as const,
          ]
        : []),
    ],
    plots: [
      {
        height: 410,
        x,
        y: { label: "y", grid: true, nice: true, zero: true },
        marks: [
          Plot.dot(training, {
            x: "x",
            y: "y",
            r: 6,
            fill: colours.samples,
            fillOpacity: 0.3,
          }),
          Plot.dot(heldOut, {
            x: "x",
            y: "y",
            r: 4,
            fill: colours.heldOut,
            fillOpacity: 0.4,
          }),
          Plot.line(curve, { x: "x", y: "fit", stroke: colours.fit, strokeWidth: 2.5 }),
          Plot.line(curve, { x: "x", y: "truth", stroke: colours.truth, strokeDasharray: "2 7" }),
        ],
      },
      {
        height: 250,
        x,
        y: { label: "difference from 3x² + 5", grid: true, domain: [-extent, extent], ticks: 5 },
        marks: [
          Plot.rect([noise], {
            x1: -range,
            x2: range,
            y1: (d) => -d,
            y2: (d) => d,
            fill: colours.samples,
            fillOpacity: 0.18,
          }),
          Plot.dot(training, {
            x: "x",
            y: "error",
            r: 1.5,
            fill: colours.samples,
            fillOpacity: 0.5,
          }),
          Plot.dot(heldOut, { x: "x", y: "error", r: 2, fill: colours.heldOut, fillOpacity: 0.5 }),
          Plot.ruleY([0], { stroke: colours.truth, strokeDasharray: "5 4" }),
          Plot.line(curve, { x: "x", y: "error", stroke: colours.fit, strokeWidth: 2.5 }),
        ],
      },
    ],
  });
}

/** The loss of each step and its moving average, on a logarithmic scale. */
export function lossChart(run: RunResult): string {
  const { losses, noise } = run;
  const average = movingAverage(losses, Math.round(losses.length / 100));
  const steps = thinned(
    losses.map((loss, i) => ({ step: i + 1, loss, average: average[i] })),
    mostSteps,
  );
  const floor = noise ** 2;
  const domain = logarithmicDomain(floor > 0 ? [floor, ...losses] : losses);
  return drawFigure({
    title: "Loss during training",
    subtitle: run.description,
    legend: [
      { label: "each step", colour: colours.samples, mark: "line" },
      { label: "moving average", colour: colours.fit, mark: "line" },
      ...(floor > 0
        ? [
            {
              label: `noise, σ² = ${short(floor)}`,
              colour: colours.heldOut,
              mark: "dashes",
            } as const,
          ]
        : []),
    ],
    plots: [
      {
        height: 420,
        x: { ...axisX, label: "step", domain: [0, Math.max(2, losses.length)] },
        y: {
          type: "log",
          label: "mean squared error (logarithmic)",
          grid: true,
          domain,
          ticks: decades(domain),
          tickFormat: short,
        },
        marks: [
          Plot.line(steps, { x: "step", y: "loss", stroke: colours.samples, strokeOpacity: 0.7 }),
          ...(floor > 0
            ? [Plot.ruleY([floor], { stroke: colours.heldOut, strokeDasharray: "5 4" })]
            : []),
          Plot.line(steps, { x: "step", y: "average", stroke: colours.fit, strokeWidth: 2 }),
        ],
      },
    ],
  });
}

/**
 * The mean of each value and of up to `reach` neighbours on either side; of fewer towards the ends, always
 * as many on the left as on the right.
 */
export function movingAverage(values: readonly number[], reach: number): number[] {
  const sums = [0];
  for (const value of values) sums.push(sums[sums.length - 1] + value);
  return values.map((_, i) => {
    const r = Math.min(reach, i, values.length - 1 - i);
    return (sums[i + r + 1] - sums[i - r]) / (2 * r + 1);
  });
}

/** At most `most` of the items, evenly picked, the first and the last among them. */
export function thinned<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  const step = (items.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => items[Math.round(i * step)]);
}

/** A little more than the values need, on a logarithmic axis. */
function logarithmicDomain(values: readonly number[]): [number, number] {
  const smallest = values.reduce((a, b) => Math.min(a, b));
  const largest = values.reduce((a, b) => Math.max(a, b));
  return [smallest / 1.3, largest * 1.3];
}

/** The powers of ten in an interval. */
function decades([low, high]: readonly [number, number]): number[] {
  const first = Math.ceil(Math.log10(low));
  const last = Math.floor(Math.log10(high));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
}

/** The samples as points, and how far each is from the curve to learn. */
function points({ x, y }: Samples): { x: number; y: number; error: number }[] {
  return Array.from(x, (value, i) => ({ x: value, y: y[i], error: y[i] - trueCurve(value) }));
}

function largest(points: readonly { error: number }[]): number {
  return points.reduce((most, { error }) => Math.max(most, Math.abs(error)), 1e-6);
}
