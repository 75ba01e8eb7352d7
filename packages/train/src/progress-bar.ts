import { checkOptions } from "@gradloom/tensor";
import type { Callback, Run, StepEvent } from "./callback.ts";
import { nodeProcess, type TextStream } from "./node-host.ts";
import type { EpochRecord, FitResult, Values } from "./records.ts";

/** Options of {@link ProgressBar}. */
export interface ProgressBarOptions {
  /** Where it is written. Default: the process's `stderr`. */
  readonly stream?: TextStream;
  /** What is called the time, in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
}

/** How often a line changes in a terminal, and how often there is one elsewhere, in milliseconds. */
const redrawEvery = 100;
const lineEvery = 10_000;

/**
 * Shows how far a training is: a bar with loss, steps a second and the time left in a terminal, a line now and then
 * elsewhere; and a line with all values for each epoch.
 */
export class ProgressBar implements Callback {
  readonly #stream: TextStream | undefined;
  readonly #now: () => number;
  readonly #isTerminal: boolean;
  #shownAt = 0;
  #start: { readonly step: number; readonly time: number } | undefined;
  #loss = Number.NaN;

  constructor(options: ProgressBarOptions = {}) {
    checkOptions("ProgressBar", options, { stream: true, now: true });
    const { stream = nodeProcess()?.stderr, now = () => performance.now() } = options;
    this.#stream = stream;
    this.#now = now;
    this.#isTerminal = stream?.isTTY === true && nodeProcess()?.env.TERM !== "dumb";
  }

  onStart(run: Run): void {
    this.#start = undefined;
    this.#loss = Number.NaN;
    this.#shownAt = this.#now();
    if (run.resumedAt > 0) this.#line(`going on from step ${run.resumedAt}`);
  }

  onStep(event: StepEvent, run: Run): void | Promise<void> {
    const time = this.#now();
    // The first step starts threads and compiles: it says nothing about those that follow.
    this.#start ??= { step: event.step, time };
    if (time - this.#shownAt < (this.#isTerminal ? redrawEvery : lineEvery)) return;
    this.#shownAt = time;
    return this.#show(event, run, time);
  }

  async #show({ step, epoch, loss }: StepEvent, run: Run, time: number): Promise<void> {
    const value = await loss.item();
    // Smoothed a little where it changes quickly, so that it can be read.
    const share = this.#isTerminal && !Number.isNaN(this.#loss) ? 0.3 : 1;
    this.#loss = share === 1 ? value : this.#loss + share * (value - this.#loss);
    const { steps, stepsPerEpoch } = run;
    const done = stepsPerEpoch === undefined ? step : run.stepInEpoch;
    const of = stepsPerEpoch ?? steps;
    const parts = [
      epochName(epoch, run.epochs),
      ...(of !== undefined && this.#isTerminal ? [bar(done / of)] : []),
      `${of === undefined ? "step " : ""}${done}${of === undefined ? "" : `/${of}`}`,
      `loss ${short(this.#loss)}`,
      ...this.#rate(step, steps, time),
    ];
    const text = parts.join("  ");
    if (!this.#isTerminal) this.#stream?.write(`${text}\n`);
    else this.#stream?.write(`\r${text.slice(0, (this.#stream.columns ?? 80) - 1)}\x1b[K`);
  }

  #rate(step: number, steps: number | undefined, time: number): string[] {
    const { step: firstStep, time: firstTime } = this.#start!;
    const perSecond = ((step - firstStep) / (time - firstTime)) * 1000;
    if (!(perSecond > 0)) return [];
    const rate = `${short(perSecond)} steps/s`;
    return steps === undefined ? [rate] : [rate, `${duration((steps - step) / perSecond)} left`];
  }

  onEpochEnd({ epoch, train, validation, seconds }: EpochRecord, run: Run): void {
    const of = validation === undefined ? [] : [`validation: ${list(validation)}`];
    const parts = [epochName(epoch, run.epochs), list(train), ...of, `(${duration(seconds)})`];
    this.#line(parts.join("  "));
  }

  onEnd({ status, reason }: FitResult): void {
    // An error speaks for itself, on a line of its own.
    if (status === "failed") this.#stream?.write(this.#isTerminal ? "\n" : "");
    else if (status !== "finished") this.#line(`${status}: ${reason}`);
  }

  #line(text: string): void {
    this.#stream?.write(this.#isTerminal ? `\r${text}\x1b[K\n` : `${text}\n`);
  }
}

function epochName(epoch: number, epochs: number | undefined): string {
  return `epoch ${epochs === undefined ? epoch : `${epoch}/${epochs}`}`;
}

function bar(share: number): string {
  const width = 20;
  const full = Math.round(Math.min(Math.max(share, 0), 1) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}

function list(values: Values): string {
  return Object.entries(values)
    .flatMap(([name, value]) => (typeof value === "number" ? [`${name} ${short(value)}`] : []))
    .join(" ");
}

/** Four digits, without an exponent where it can be helped. */
function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000 && size < 1e6) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(4)));
}

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
