import { ArgumentError, checkOptions } from "@gradloom/tensor";
import type { Callback, Run } from "./callback.ts";
import type { EpochRecord } from "./records.ts";

/** Options of {@link EarlyStopping}. */
export interface EarlyStoppingOptions {
  /** The loss or metric that counts. Default: the trainer's `monitor`. */
  readonly monitor?: string;
  /** How many epochs without an improvement are borne. Default 3. */
  readonly patience?: number;
  /** By how much a value must be better than the best so far. Default 0. */
  readonly minDelta?: number;
}

interface EarlyStoppingState {
  readonly best: number | null;
  readonly badEpochs: number;
}

/**
 * Stops a training when a value has not become better for more than `patience` epochs.
 *
 * @throws ArgumentError if an option is out of its range.
 */
export class EarlyStopping implements Callback {
  readonly key = "earlyStopping";
  /** The best value so far. */
  best: number | undefined;
  /** How many epochs ago that was. */
  badEpochs: number = 0;
  readonly #monitor: string | undefined;
  readonly #patience: number;
  readonly #minDelta: number;

  constructor(options: EarlyStoppingOptions = {}) {
    checkOptions("EarlyStopping", options, { monitor: true, patience: true, minDelta: true });
    const { monitor, patience = 3, minDelta = 0 } = options;
    for (const [name, value] of Object.entries({ patience, minDelta })) {
      if (value >= 0) continue;
      throw new ArgumentError(`EarlyStopping: ${name} must be 0 or greater, got ${value}.`, {
        op: "EarlyStopping",
      });
    }
    this.#monitor = monitor;
    this.#patience = patience;
    this.#minDelta = minDelta;
  }

  onStart(run: Run): void {
    if (run.resumedAt > 0) {
      // It may have gone on from where it was stopped.
      this.#decide(run);
      return;
    }
    this.best = undefined;
    this.badEpochs = 0;
  }

  onEpochEnd(record: EpochRecord, run: Run): void {
    const { value, isBetterThan } = run.monitored(record, this.#monitor);
    if (this.best === undefined || isBetterThan(this.best, this.#minDelta)) {
      this.best = value;
      this.badEpochs = 0;
      return;
    }
    this.badEpochs += 1;
    this.#decide(run);
  }

  #decide(run: Run): void {
    if (this.badEpochs <= this.#patience) return;
    const name = this.#monitor ?? run.monitor;
    run.stop(`${name} has not become better than ${this.best} for ${this.badEpochs} epochs`);
  }

  stateDict(): Record<string, number | null> {
    return { best: this.best ?? null, badEpochs: this.badEpochs };
  }

  loadStateDict({ best, badEpochs }: EarlyStoppingState): void {
    this.best = best ?? undefined;
    this.badEpochs = badEpochs;
  }
}
