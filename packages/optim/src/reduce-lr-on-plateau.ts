import { ArgumentError, checkOptions, Tensor } from "@gradloom/tensor";
import { checkNonNegative, checkReal } from "./check-option.ts";
import {
  checkLoaded,
  isCount,
  isListOf,
  perGroup,
  type Schedule,
  type ScheduleState,
} from "./lr-schedule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Options of {@link ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** Whether the metric is to become small or large. Default `"min"`. */
  readonly mode?: "min" | "max";
  /** What the rate is multiplied by, below 1. Default 0.1. */
  readonly factor?: number;
  /** How many steps without an improvement are borne. Default 10. */
  readonly patience?: number;
  /** By how much the metric must be better than the best so far to count. Default 1e-4. */
  readonly threshold?: number;
  /** Whether the threshold is a share of the best metric, or a difference. Default `"rel"`. */
  readonly thresholdMode?: "rel" | "abs";
  /** How many steps after a reduction are not judged. Default 0. */
  readonly cooldown?: number;
  /** The least rate; one for all groups or one for each. Default 0. */
  readonly minLr?: number | readonly number[];
  /** A smaller change is not made. Default 1e-8. */
  readonly eps?: number;
}

/**
 * Multiplies the rate by `factor` when a metric has not become better for more than `patience` steps.
 *
 * @throws ArgumentError if an option is out of its range.
 *
 * @example
 * ```ts
 * const schedule = new ReduceLROnPlateau(optimizer, { patience: 3 });
 * schedule.step(validationLoss); // once an epoch
 * ```
 */
export class ReduceLROnPlateau implements Schedule {
  readonly optimizer: Optimizer;
  /** How often the schedule has stepped. */
  lastEpoch: number = 0;
  /** The best metric so far. */
  best: number;
  #badEpochs = 0;
  #cooldown = 0;
  #lastLr: number[];
  readonly #options: Required<Omit<ReduceLROnPlateauOptions, "minLr">>;
  readonly #minLrs: readonly number[];

  constructor(optimizer: Optimizer, options: ReduceLROnPlateauOptions = {}) {
    checkOptions("ReduceLROnPlateau", options, {
      mode: true,
      factor: true,
      patience: true,
      threshold: true,
      thresholdMode: true,
      cooldown: true,
      minLr: true,
      eps: true,
    });
    const {
      mode = "min",
      factor = 0.1,
      patience = 10,
      threshold = 1e-4,
      thresholdMode = "rel",
      cooldown = 0,
      minLr = 0,
      eps = 1e-8,
    } = options;
    const op = "ReduceLROnPlateau";
    this.optimizer = optimizer;
    this.#options = { mode, factor, patience, threshold, thresholdMode, cooldown, eps };
    this.#minLrs = perGroup(op, "minLr", minLr, optimizer.paramGroups.length);
    checkChoice("mode", mode, ["min", "max"]);
    checkChoice("thresholdMode", thresholdMode, ["rel", "abs"]);
    if (!(factor < 1)) {
      throw new ArgumentError(`${op}: factor must be below 1, got ${factor}.`, { op });
    }
    for (const [name, value] of Object.entries({ factor, patience, cooldown, eps })) {
      checkNonNegative(op, name, value);
    }
    checkReal(op, "threshold", threshold);
    this.best = mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    this.#lastLr = this.#rates();
  }

  /**
   * Looks at a metric, a number or a tensor of one element, which is read. One that is NaN is no improvement.
   *
   * @throws ArgumentError if there is none. ShapeError if there are several.
   */
  step(metric?: number | Tensor): void {
    const value = metric instanceof Tensor ? metric.itemSync() : metric;
    if (typeof value !== "number") {
      throw new ArgumentError(
        `ReduceLROnPlateau: step() must be given a metric, got ${value}. Pass a number: step(loss).`,
        { op: "ReduceLROnPlateau" },
      );
    }
    const { patience, cooldown } = this.#options;
    this.lastEpoch += 1;
    if (this.#isBetter(value)) {
      this.best = value;
      this.#badEpochs = 0;
    } else {
      this.#badEpochs += 1;
    }
    if (this.#cooldown > 0) {
      this.#cooldown -= 1;
      this.#badEpochs = 0;
    }
    if (this.#badEpochs > patience) {
      this.#reduce();
      this.#cooldown = cooldown;
      this.#badEpochs = 0;
    }
    this.#lastLr = this.#rates();
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const isRelative = thresholdMode === "rel";
    if (mode === "min") {
      return metric < (isRelative ? this.best * (1 - threshold) : this.best - threshold);
    }
    return metric > (isRelative ? this.best * (1 + threshold) : this.best + threshold);
  }

  #reduce(): void {
    const { factor, eps } = this.#options;
    this.optimizer.paramGroups.forEach((group, i) => {
      const lr = Math.max(group.lr * factor, this.#minLrs[i]);
      if (group.lr - lr > eps) group.lr = lr;
    });
  }

  #rates(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** The rates of the groups after the last step. */
  getLastLr(): number[] {
    return [...this.#lastLr];
  }

  /** All that is needed to go on later. Options are not part of it. */
  stateDict(): ScheduleState {
    return {
      best: this.best,
      num_bad_epochs: this.#badEpochs,
      cooldown_counter: this.#cooldown,
      last_epoch: this.lastEpoch,
      _last_lr: this.getLastLr(),
    };
  }

  /**
   * Goes on from a state dict, also from one of PyTorch, and sets the rates of the groups to the last ones.
   *
   * @throws StateError that says what does not fit. Then nothing has changed.
   */
  loadStateDict(dict: ScheduleState): void {
    const op = "ReduceLROnPlateau";
    // JSON has no infinities: null is the best before the first metric.
    const { num_bad_epochs, cooldown_counter, last_epoch, _last_lr = this.#rates() } = dict;
    const best = dict.best ?? (this.#options.mode === "min" ? 1 / 0 : -1 / 0);
    checkLoaded(op, "best", best, (value) => typeof value === "number");
    checkLoaded(op, "num_bad_epochs", num_bad_epochs, isCount);
    checkLoaded(op, "cooldown_counter", cooldown_counter, isCount);
    checkLoaded(op, "last_epoch", last_epoch, isCount);
    checkLoaded(op, "_last_lr", _last_lr, isListOf(this.optimizer.paramGroups.length));
    this.best = best;
    this.#badEpochs = num_bad_epochs;
    this.#cooldown = cooldown_counter;
    this.lastEpoch = last_epoch;
    this.#lastLr = [..._last_lr];
    this.optimizer.paramGroups.forEach((group, i) => {
      group.lr = this.#lastLr[i];
    });
  }
}

function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new ArgumentError(
    `ReduceLROnPlateau: ${name} must be ${choices.map((c) => `"${c}"`).join(" or ")}, got ${value}.`,
    { op: "ReduceLROnPlateau" },
  );
}
