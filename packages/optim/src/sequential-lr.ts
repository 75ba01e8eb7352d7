import { ArgumentError, onEachRun } from "@gradloom/tensor";
import {
  checkLoaded,
  isCount,
  isListOf,
  LRSchedule,
  type Schedule,
  type ScheduleState,
} from "./lr-schedule.ts";
import type { Optimizer } from "./optimizer.ts";

/**
 * One schedule after the other: `schedules[k]` from step `milestones[k − 1]` on, counting from 0 again.
 *
 * @throws ArgumentError unless all schedules belong to the optimizer, and there is one milestone less than schedules, in
 *   ascending order.
 *
 * @example
 * ```ts
 * const warmup = new LinearLR(optimizer, { totalIters: 10 });
 * const schedule = new SequentialLR(optimizer, [warmup, new CosineAnnealingLR(optimizer, 90)], [10]);
 * ```
 */
export class SequentialLR implements Schedule {
  readonly optimizer: Optimizer;
  /** That of the first schedule. */
  readonly interval: "step" | "epoch";
  /** How often the schedule has stepped. */
  lastEpoch: number = 0;
  readonly #schedules: readonly LRSchedule[];
  #milestones: readonly number[];
  #lastLr: number[];

  constructor(
    optimizer: Optimizer,
    schedules: readonly LRSchedule[],
    milestones: readonly number[],
  ) {
    check(optimizer, schedules, milestones);
    this.optimizer = optimizer;
    this.interval = schedules[0].interval;
    this.#schedules = [...schedules];
    this.#milestones = [...milestones];
    // Each schedule took a first step when it was made; only the first one's is to count.
    for (const group of optimizer.paramGroups) group.lr = group.initialLr ?? group.lr;
    for (const schedule of schedules) schedule.rewind();
    schedules[0].advance();
    this.#lastLr = schedules[0].getLastLr();
  }

  /** Goes on by one step, in a compiled function with each call. */
  step(): void {
    onEachRun(() => this.#advance());
  }

  #advance(): void {
    this.lastEpoch += 1;
    const index = this.#milestones.filter((milestone) => milestone <= this.lastEpoch).length;
    const schedule = this.#schedules[index];
    if (index > 0 && this.#milestones[index - 1] === this.lastEpoch) schedule.restart();
    else schedule.advance();
    this.#lastLr = schedule.getLastLr();
  }

  /** The rates of the groups after the last step. */
  getLastLr(): number[] {
    return [...this.#lastLr];
  }

  /** All that is needed to go on later: of this schedule and, in `_schedulers`, of those that it is made of. */
  stateDict(): ScheduleState {
    return {
      _milestones: [...this.#milestones],
      last_epoch: this.lastEpoch,
      _last_lr: this.getLastLr(),
      _schedulers: this.#schedules.map((schedule) => schedule.stateDict()),
    };
  }

  /**
   * Goes on from a state dict, also from one of PyTorch, and sets the rates of the groups to the last ones.
   *
   * @throws StateError that says what does not fit. Then nothing has changed.
   */
  loadStateDict(dict: ScheduleState): void {
    const {
      last_epoch,
      _milestones = this.#milestones,
      _last_lr = this.#lastLr,
      _schedulers,
    } = dict;
    const op = "SequentialLR";
    checkLoaded(op, "last_epoch", last_epoch, isCount);
    checkLoaded(op, "_milestones", _milestones, isListOf(this.#milestones.length));
    checkLoaded(op, "_last_lr", _last_lr, isListOf(this.#lastLr.length));
    const count = this.#schedules.length;
    checkLoaded(op, "_schedulers", _schedulers, isStatesOf(count));
    const before = this.#schedules.map((schedule) => schedule.stateDict());
    try {
      this.#schedules.forEach((schedule, i) => void schedule.restore(_schedulers[i]));
    } catch (error) {
      this.#schedules.forEach((schedule, i) => void schedule.restore(before[i]));
      throw error;
    }
    this.lastEpoch = last_epoch;
    this.#milestones = [..._milestones];
    this.#lastLr = [..._last_lr];
    this.optimizer.paramGroups.forEach((group, i) => {
      group.lr = this.#lastLr[i] ?? group.lr;
    });
  }
}

function check(
  optimizer: Optimizer,
  schedules: readonly LRSchedule[],
  milestones: readonly number[],
): void {
  const op = "SequentialLR";
  schedules.forEach((schedule, i) => {
    if (schedule instanceof LRSchedule && schedule.optimizer === optimizer) return;
    throw new ArgumentError(
      `${op}: schedules must be of this optimizer and depend on steps alone, got another one as number ${i}.`,
      { op },
    );
  });
  if (schedules.length === 0 || milestones.length !== schedules.length - 1) {
    throw new ArgumentError(
      `${op}: there must be one milestone less than schedules, got ${milestones.length} for ${schedules.length}.`,
      { op },
    );
  }
  if (milestones.every((m, i) => isCount(m) && m >= (i === 0 ? 1 : milestones[i - 1]))) return;
  throw new ArgumentError(
    `${op}: milestones must be ascending integers from 1 on, got [${milestones.join(", ")}].`,
    { op },
  );
}

/** Tells lists of so many states. */
function isStatesOf(count: number): (value: unknown) => value is readonly ScheduleState[] {
  return (value): value is readonly ScheduleState[] =>
    Array.isArray(value) &&
    value.length === count &&
    value.every((state) => typeof state === "object" && state !== null);
}
