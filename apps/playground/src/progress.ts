// How far a training run is: a bar that moves in a terminal, plain lines anywhere else.
import type { WriteStream } from "node:tty";
import { SingleBar } from "cli-progress";
import { duration, short, whole } from "./numbers.ts";

/** Shows how far a run of a known number of steps is. */
export interface Progress {
  /** To be called after each step; cheap, draws at most a few times a second. */
  update(step: number, loss: number): void;
  /** To be called once, however the run ends: gives the terminal back as it was. */
  stop(): void;
}

/** A bar if `stream` is a terminal that can move its cursor, otherwise about ten plain lines. */
export function createProgress(stream: NodeJS.WritableStream, steps: number): Progress {
  const rate = new Rate(steps);
  return isTerminal(stream) && process.env.TERM !== "dumb"
    ? new Bar(stream, steps, rate)
    : new Lines(stream, steps, rate);
}

/** Whether somebody looks at this stream on a screen. */
function isTerminal(stream: NodeJS.WritableStream): stream is WriteStream {
  return "isTTY" in stream && stream.isTTY === true;
}

/** Steps a second, and the seconds that the rest needs at that rate. */
class Rate {
  readonly steps: number;
  // The first step starts threads and compiles: it says nothing about those that follow.
  #start: { readonly step: number; readonly time: number } | undefined;

  constructor(steps: number) {
    this.steps = steps;
  }

  at(step: number): { perSecond: string; left: string } {
    const time = performance.now();
    this.#start ??= { step, time };
    const rate = ((step - this.#start.step) / (time - this.#start.time)) * 1000;
    if (!(rate > 0)) return { perSecond: "–", left: "–" };
    return {
      perSecond: rate < 10 ? rate.toFixed(1) : whole(rate),
      left: duration((this.steps - step) / rate),
    };
  }
}

class Bar implements Progress {
  readonly #bar: SingleBar;
  readonly #rate: Rate;
  #drawn = 0;

  constructor(stream: WriteStream, steps: number, rate: Rate) {
    this.#rate = rate;
    this.#bar = new SingleBar({
      stream,
      format: "training {bar} {value}/{total}  loss {loss}  {perSecond} steps/s  {left} left",
      barCompleteChar: "█",
      barIncompleteChar: "░",
      // What stands beside the bar takes up to 65 columns.
      barsize: Math.max(5, Math.min(40, (stream.columns ?? 80) - 66)),
      hideCursor: true,
      linewrap: true,
      gracefulExit: false, // Ctrl-C is the command's own affair: it ends in stop().
    });
    this.#bar.start(steps, 0, { loss: "–", perSecond: "–", left: "–" });
  }

  update(step: number, loss: number): void {
    const now = performance.now();
    if (now - this.#drawn < 100 && step < this.#rate.steps) return;
    this.#drawn = now;
    this.#bar.update(step, { loss: short(loss), ...this.#rate.at(step) });
  }

  stop(): void {
    this.#bar.stop();
  }
}

class Lines implements Progress {
  readonly #stream: NodeJS.WritableStream;
  readonly #rate: Rate;
  readonly #every: number;

  constructor(stream: NodeJS.WritableStream, steps: number, rate: Rate) {
    this.#stream = stream;
    this.#rate = rate;
    this.#every = Math.ceil(steps / 10);
  }

  update(step: number, loss: number): void {
    const { steps } = this.#rate;
    if (step !== 1 && step !== steps && step % this.#every !== 0) return;
    const { perSecond, left } = this.#rate.at(step);
    const width = String(steps).length;
    this.#stream.write(
      `step ${String(step).padStart(width)}/${steps}  loss ${short(loss).padEnd(8)}  ` +
        `${perSecond} steps/s  ${left} left\n`,
    );
  }

  stop(): void {}
}
