import { ArgumentError, onEachRun, StateError, type Tensor } from "@gradloom/tensor";
import type { FullGroup, Optimizer } from "./optimizer.ts";
import { describe } from "./parameter-groups.ts";
import { snakeCase } from "./state-dict.ts";

/** What every schedule can be told. */
export interface LRScheduleOptions {
  /**
   * The step to go on from, in an optimizer whose groups know their `initialLr`, as one that was loaded does.
   * Default −1: from the start. `loadStateDict` needs no such thing.
   */
  readonly lastEpoch?: number;
}

/** Where a schedule is, with PyTorch's names: numbers, strings, booleans and lists of them. */
export type ScheduleState = Readonly<Record<string, unknown>>;

/** What every schedule can do. `ReduceLROnPlateau` alone looks at the metric. */
export interface Schedule {
  /** After what it is normally stepped: what a trainer does unless it is told. Default: an epoch. */
  readonly interval?: "step" | "epoch";
  step(metric?: number | Tensor): void;
  getLastLr(): number[];
  stateDict(): ScheduleState;
  loadStateDict(dict: ScheduleState): void;
}

/**
 * Changes the learning rates of an optimizer's groups, step by step. A subclass says how.
 *
 * Call `schedule.step()` after `optimizer.step()`: once an epoch, or once a step if the schedule counts steps. The
 * rates are numbers that a plan asks for, so another rate compiles nothing, also inside of `compile`. Each step starts
 * from what the groups have, as in PyTorch: several schedules of one optimizer multiply.
 */
export abstract class LRSchedule<Settings extends object = object> implements Schedule {
  readonly optimizer: Optimizer;
  readonly interval: "step" | "epoch" = "epoch";
  /** How often the schedule has stepped. */
  lastEpoch: number;
  /** The rates of the groups that the schedule starts from. */
  protected baseLrs: number[];
  /** What the schedule was made with. */
  protected settings: Settings;
  /** Steps of this object, which may have been told to start later. */
  protected stepCount: number = 0;
  #lastLr: number[] = [];
  readonly #groupCount: number;

  /** @throws ArgumentError without an optimizer. StateError if `lastEpoch` is given and a group has no `initialLr`. */
  constructor(optimizer: Optimizer, settings: Settings, lastEpoch: number = -1) {
    if (!Array.isArray(optimizer?.paramGroups)) {
      throw new ArgumentError(
        `${this.constructor.name}: what comes first must be an optimizer, got ${describe(optimizer)}.`,
      );
    }
    this.optimizer = optimizer;
    this.settings = settings;
    this.lastEpoch = lastEpoch;
    this.#groupCount = optimizer.paramGroups.length;
    this.baseLrs = this.groups.map((group, i) => {
      if (lastEpoch === -1) group.initialLr ??= group.lr;
      else if (group.initialLr === undefined) {
        throw new StateError(
          `${this.constructor.name}: with lastEpoch, every group must have initialLr, got none in group ${i}. Load the optimizer's state first.`,
        );
      }
      return group.initialLr;
    });
    this.step();
  }

  /**
   * The rates at `lastEpoch`, from those that the groups have. The constructor calls it, so it must not use `#private`
   * members or fields of the subclass.
   */
  protected abstract rates(): number[];

  /** The rates at `lastEpoch`, from the first ones alone; `undefined` if there is no formula. */
  protected closedForm(): number[] | undefined {
    return undefined;
  }

  /** The groups that the optimizer had when the schedule was made. Those that were added later keep their rates. */
  protected get groups(): FullGroup<{ lr: number }>[] {
    return this.optimizer.paramGroups.slice(0, this.#groupCount);
  }

  /** Goes on by one step, in a compiled function with each call. */
  step(): void {
    onEachRun(() => this.advance());
  }

  /** @internal {@link step} of a schedule that is part of a sequence. */
  advance(): void {
    this.stepCount += 1;
    this.lastEpoch += 1;
    this.#set(this.rates());
  }

  /** @internal Starts again at step 0, as part of a sequence. */
  restart(): void {
    this.stepCount += 1;
    this.lastEpoch = 0;
    this.#set(this.closedForm() ?? this.rates());
  }

  /** @internal Takes back the step that making the schedule took. */
  rewind(): void {
    this.lastEpoch -= 1;
  }

  /** The rates of the groups after the last step. */
  getLastLr(): number[] {
    return [...this.#lastLr];
  }

  /** All that is needed to go on later. The optimizer's own state is apart. */
  stateDict(): ScheduleState {
    const named = Object.entries(this.settings).map(([name, value]) => [torchName(name), value]);
    return {
      ...Object.fromEntries(named),
      base_lrs: [...this.baseLrs],
      last_epoch: this.lastEpoch,
      _step_count: this.stepCount,
      _last_lr: this.getLastLr(),
    };
  }

  /**
   * Goes on from a state dict, also from one of PyTorch, and sets the rates of the groups to the last ones. With
   * several schedules of one optimizer, load the optimizer last: its rates are the product of all.
   *
   * @throws StateError that says what does not fit. Then nothing has changed.
   */
  loadStateDict(dict: ScheduleState): void {
    this.restore(dict);
    this.groups.forEach((group, i) => {
      group.lr = this.#lastLr[i] ?? group.lr;
    });
  }

  /** @internal {@link loadStateDict} without setting rates: for a schedule that is part of a sequence. */
  restore(dict: ScheduleState): void {
    const op = this.constructor.name;
    const { last_epoch, _step_count = 1, base_lrs = this.baseLrs, _last_lr = this.#lastLr } = dict;
    const isOnePerGroup = isListOf(this.groups.length);
    checkLoaded(op, "last_epoch", last_epoch, isCount);
    checkLoaded(op, "_step_count", _step_count, isCount);
    checkLoaded(op, "base_lrs", base_lrs, isOnePerGroup);
    checkLoaded(op, "_last_lr", _last_lr, isOnePerGroup);
    const settings = Object.entries(this.settings).map(([name, present]) => {
      const saved = torchName(name);
      if (!Object.hasOwn(dict, saved)) return [name, present];
      checkLoaded(op, saved, dict[saved], (value) => kind(value) === kind(present));
      return [name, dict[saved]];
    });
    this.settings = Object.fromEntries(settings);
    this.lastEpoch = last_epoch;
    this.stepCount = _step_count;
    this.baseLrs = [...base_lrs];
    this.#lastLr = [..._last_lr];
  }

  #set(rates: number[]): void {
    this.groups.forEach((group, i) => {
      group.lr = rates[i];
    });
    this.#lastLr = rates;
  }
}

/** `etaMin` → `eta_min`; PyTorch writes one name in another way. */
function torchName(name: string): string {
  return name === "tMax" ? "T_max" : snakeCase(name);
}

/** What a setting is, so that only the like is loaded in its place. */
function kind(value: unknown): string {
  return Array.isArray(value) && value.every(isNumber) ? "numbers" : typeof value;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

/** Whether a value counts steps: −1 is before the first. */
export function isCount(value: unknown): value is number {
  return Number.isInteger(value);
}

/** Tells lists of so many numbers. */
export function isListOf(length: number): (value: unknown) => value is readonly number[] {
  return (value): value is readonly number[] =>
    Array.isArray(value) && value.length === length && value.every(isNumber);
}

/** @throws StateError if an entry of a schedule's state dict is not what it must be. */
export function checkLoaded<T>(
  op: string,
  name: string,
  value: unknown,
  isRight: (value: unknown) => value is T,
): asserts value is T;
export function checkLoaded(
  op: string,
  name: string,
  value: unknown,
  isRight: (value: unknown) => boolean,
): void;
export function checkLoaded(
  op: string,
  name: string,
  value: unknown,
  isRight: (value: unknown) => boolean,
): void {
  if (isRight(value)) return;
  const got = value === undefined ? "nothing" : JSON.stringify(value);
  throw new StateError(
    `loadStateDict: ${name} must fit the schedule ${op}, got ${got}. Nothing was loaded.`,
    { op: "loadStateDict" },
  );
}

/** One value for each group. @throws ArgumentError unless there is one value, or as many as groups. */
export function perGroup(
  op: string,
  name: string,
  value: number | readonly number[],
  count: number,
): readonly number[] {
  const values = Array.isArray(value) ? value : new Array<number>(count).fill(Number(value));
  if (values.length === count && values.every(Number.isFinite)) return values;
  throw new ArgumentError(
    `${op}: ${name} must be a finite number, or one for each of ${count} groups, got [${values.join(", ")}].`,
    { op },
  );
}
