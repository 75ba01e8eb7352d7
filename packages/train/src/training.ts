import {
  type CheckpointContents,
  CheckpointError,
  loadCheckpoint,
  type PlainData,
  type Stateful,
  saveCheckpoint,
} from "@gradloom/checkpoint";
import { ArgumentError, checkOptions, StateError } from "@gradloom/tensor";
import { type Batch, type Batches, checkBatch } from "./batch.ts";
import { BatchStream, isStateful } from "./batch-stream.ts";
import { Breath } from "./breath.ts";
import type { Monitored, Run, SaveEvent } from "./callback.ts";
import { emptyData, evaluate, valuesOf } from "./evaluation.ts";
import { LossMeter, type LossMeterState } from "./loss-meter.ts";
import type { MetricState } from "./metric.ts";
import { Progress, type ProgressState } from "./progress.ts";
import type { Abort, EpochRecord, FitResult, Values } from "./records.ts";
import type { Setup } from "./setup.ts";
import { learn } from "./step.ts";

const op = "fit";

/** Options of `trainer.fit`: `epochs` or `steps`, and what else is wanted. */
export interface FitOptions<Input, Target> {
  /** How many epochs there are in all, those before a checkpoint included. */
  readonly epochs?: number;
  /** Or how many steps. */
  readonly steps?: number;
  /** How many steps make an epoch. Default: as many as a pass over the data has. */
  readonly stepsPerEpoch?: number;
  /** What is evaluated at the end of each epoch. */
  readonly validation?: Batches<Input, Target>;
  /** An `AbortSignal` that ends the training in good order: callbacks write their checkpoint, and the result says so. */
  readonly signal?: Abort;
  /** The checkpoint to go on from. While there is no such file, the training begins. */
  readonly resume?: string;
}

/** What is kept of a training, apart from the states of model, optimizer, schedule and data. */
interface TrainingState extends ProgressState {
  /** Batches that were taken of the present pass. */
  readonly position: number;
  readonly loss: LossMeterState;
  readonly metrics: Readonly<Record<string, MetricState>>;
  readonly callbacks: Readonly<Record<string, PlainData>>;
  /** Where the data of the validation is, if it knows that: it may have drawn a seed of its own. */
  readonly validation: unknown;
}

/** One call of `fit`, from its first step to its end. */
export class Training<Input, Target, Prediction> implements Run, Stateful {
  readonly epochs: number | undefined;
  readonly stepsPerEpoch: number | undefined;
  readonly steps: number | undefined;
  readonly #setup: Setup<Input, Target, Prediction>;
  readonly #options: FitOptions<Input, Target>;
  readonly #stream: BatchStream<Input, Target>;
  readonly #meter = new LossMeter(op);
  readonly #breath = new Breath();
  readonly #progress: Progress;
  #resumedAt = 0;
  #stopReason: string | undefined;

  constructor(
    setup: Setup<Input, Target, Prediction>,
    data: Batches<Input, Target>,
    options: FitOptions<Input, Target>,
  ) {
    checkOptions(op, options, {
      epochs: true,
      steps: true,
      stepsPerEpoch: true,
      validation: true,
      signal: true,
      resume: true,
    });
    checkLength(options);
    this.#setup = setup;
    this.#options = options;
    this.#stream = new BatchStream(op, data);
    this.#progress = new Progress(setup.optimizer.lr);
    const { length } = this.#stream;
    const { epochs, steps, stepsPerEpoch } = options;
    const perPass = length === undefined ? undefined : Math.ceil(length / setup.accumulate);
    this.epochs = epochs;
    this.stepsPerEpoch = stepsPerEpoch ?? perPass;
    this.steps =
      steps ??
      (this.stepsPerEpoch === undefined ? undefined : this.stepsPerEpoch * (epochs as number));
  }

  get epoch(): number {
    return this.#progress.epochs + 1;
  }

  get step(): number {
    return this.#progress.step;
  }

  get stepInEpoch(): number {
    return this.#progress.stepInEpoch;
  }

  get history(): readonly EpochRecord[] {
    return this.#progress.history;
  }

  get resumedAt(): number {
    return this.#resumedAt;
  }

  get monitor(): string {
    return this.#setup.monitor;
  }

  stop(reason: string): void {
    this.#stopReason ??= reason;
  }

  /** Trains. */
  async run(): Promise<FitResult> {
    const { callbacks, metrics } = this.#setup;
    for (const metric of metrics.values()) metric.reset();
    try {
      await this.#resume();
      for (const callback of callbacks) await callback.onStart?.(this);
      while (!this.#isDone) {
        await this.#trainEpoch();
        await this.#closeEpoch();
      }
      await this.#save({ at: "end", record: undefined });
    } catch (error) {
      await this.#end("failed", messageOf(error)).catch(() => {});
      throw error;
    } finally {
      await this.#stream.close();
    }
    if (this.#isAborted) {
      return this.#end("aborted", `the signal was aborted after step ${this.#progress.step}`);
    }
    return this.#stopReason === undefined
      ? this.#end("finished", `${this.#progress.epochs} epochs, ${this.#progress.step} steps`)
      : this.#end("stopped", this.#stopReason);
  }

  async #end(status: FitResult["status"], reason: string): Promise<FitResult> {
    const result: FitResult = {
      status,
      reason,
      epoch: this.#progress.epochs,
      step: this.#progress.step,
      history: this.#progress.history,
    };
    for (const callback of this.#setup.callbacks) await callback.onEnd?.(result, this);
    return result;
  }

  get #isAborted(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  get #areStepsDone(): boolean {
    return this.#progress.step >= (this.#options.steps ?? Number.POSITIVE_INFINITY);
  }

  /** Whether no epoch is to begin or to be closed. */
  get #isDone(): boolean {
    if (this.#isAborted) return true;
    if (this.#progress.stepInEpoch > 0) return false;
    return (
      this.#stopReason !== undefined ||
      this.#areStepsDone ||
      this.#progress.epochs >= (this.epochs ?? Number.POSITIVE_INFINITY)
    );
  }

  get #isEpochOver(): boolean {
    const { stepsPerEpoch = Number.POSITIVE_INFINITY } = this.#options;
    return (
      this.#progress.isPassOver ||
      this.#stopReason !== undefined ||
      this.#areStepsDone ||
      this.#progress.stepInEpoch >= stepsPerEpoch
    );
  }

  async #trainEpoch(): Promise<void> {
    const { model, callbacks } = this.#setup;
    // Modules that were put into evaluation on purpose stay in it.
    if (!model.training) model.train();
    this.#progress.startClock();
    while (!this.#isEpochOver && !this.#isAborted) {
      const group = await this.#take();
      if (group === undefined) break;
      const lr = this.#setup.optimizer.lr;
      const { loss, weight, gradNorm } = learn(op, this.#setup, group);
      this.#progress.advance(lr);
      this.#meter.add(loss, weight, this.#progress.step);
      const event = { epoch: this.epoch, step: this.#progress.step, loss, gradNorm, lr };
      for (const callback of callbacks) {
        // Waiting for nothing would cost a small model something in each step.
        const hook = callback.onStep?.(event, this);
        if (hook instanceof Promise) await hook;
      }
      await this.#save({ at: "step", record: undefined });
      if (!this.#breath.isDue) continue;
      await this.#meter.drain();
      await this.#breath.take();
    }
    this.#progress.readClock(this.#stream);
    this.#progress.stopClock();
  }

  /** The batches of a step, or `undefined` if the pass and with it the epoch is over. */
  async #take(): Promise<Batch<Input, Target>[] | undefined> {
    const { accumulate } = this.#setup;
    const isOnePass = this.#options.stepsPerEpoch === undefined;
    for (let attempt = 0; attempt < 2; attempt++) {
      const group: Batch<Input, Target>[] = [];
      while (group.length < accumulate && !this.#progress.isPassOver) {
        const batch = await this.#stream.next();
        if (batch === undefined) {
          this.#progress.isPassOver = isOnePass && this.#progress.stepInEpoch + group.length > 0;
          break;
        }
        checkBatch(op, batch);
        group.push(batch);
      }
      if (group.length > 0) return group;
      if (this.#progress.isPassOver) return undefined;
      // An epoch that begins where a pass has just ended, or that is longer than a pass, goes on with the next one.
    }
    throw emptyData(op, `data of epoch ${this.epoch}`);
  }

  /** Ends an epoch, unless the signal is aborted before it is over, or in its validation. */
  async #closeEpoch(): Promise<void> {
    if (!this.#isEpochOver) return;
    const { schedule, scheduleInterval, callbacks } = this.#setup;
    const { validation, signal } = this.#options;
    await this.#meter.drain();
    const train = await valuesOf(this.#meter, this.#setup);
    let validated: Values | undefined;
    if (validation !== undefined) {
      const place = stateOf(validation);
      validated = await evaluate(op, this.#setup, validation, signal);
      if (validated === undefined) {
        // A training that goes on from here validates once more.
        if (isStateful(validation)) validation.loadStateDict(place as never);
        return;
      }
    }
    const record: EpochRecord = {
      epoch: this.epoch,
      step: this.#progress.step,
      lr: this.#progress.lr,
      train,
      ...(validated === undefined ? {} : { validation: validated }),
      seconds: this.#progress.seconds,
      dataSeconds: this.#progress.dataSeconds,
    };
    this.#progress.closeEpoch(record);
    this.#meter.reset();
    for (const metric of this.#setup.metrics.values()) metric.reset();
    if (scheduleInterval === "epoch") schedule?.step(this.monitored(record).value);
    for (const callback of callbacks) await callback.onEpochEnd?.(record, this);
    await this.#save({ at: "epoch", record });
  }

  async #save(event: SaveEvent): Promise<void> {
    for (const callback of this.#setup.callbacks) {
      const hook = callback.onSave?.(event, this);
      if (hook instanceof Promise) await hook;
    }
  }

  monitored(record: EpochRecord, name: string = this.monitor): Monitored {
    const values = record.validation ?? record.train;
    const value = values[name];
    const better = name === "loss" ? "min" : this.#setup.metrics.get(name)?.better;
    if (typeof value !== "number" || better === undefined) {
      const names = Object.keys(values).filter((key) => typeof values[key] === "number");
      throw new ArgumentError(`${op}: monitor must be one of ${names.join(", ")}, got ${name}.`, {
        op,
      });
    }
    const isBetterThan = (other: number, byAtLeast = 0) => {
      if (Number.isNaN(other)) return !Number.isNaN(value);
      return better === "min" ? value < other - byAtLeast : value > other + byAtLeast;
    };
    return { name, value, isBetterThan };
  }

  // ---- checkpoints ----

  async save(path: string): Promise<void> {
    // A loss that is not finite must not get into a checkpoint: this throws.
    await this.#meter.drain();
    await saveCheckpoint(path, this.#parts as CheckpointContents);
  }

  /** What a checkpoint keeps. */
  get #parts(): Record<string, Stateful> {
    const { model, optimizer, schedule, average } = this.#setup;
    return {
      model,
      optimizer,
      ...(schedule === undefined ? {} : { schedule }),
      ...(average === undefined ? {} : { average }),
      ...(this.#stream.stateful === undefined ? {} : { data: this.#stream.stateful }),
      training: this,
    };
  }

  async #resume(): Promise<void> {
    const { resume } = this.#options;
    if (resume === undefined) return;
    try {
      await loadCheckpoint(resume, this.#parts);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  stateDict(): TrainingState {
    this.#progress.readClock(this.#stream);
    const { metrics, callbacks } = this.#setup;
    return {
      ...this.#progress.state,
      position: this.#stream.position,
      loss: this.#meter.state,
      metrics: Object.fromEntries([...metrics].map(([name, metric]) => [name, metric.stateDict()])),
      callbacks: Object.fromEntries(
        callbacks.flatMap((callback) =>
          callback.key === undefined ? [] : [[callback.key, callback.stateDict?.() ?? {}]],
        ),
      ),
      validation: stateOf(this.#options.validation),
    };
  }

  loadStateDict(state: TrainingState): void {
    const { metrics, callbacks } = this.#setup;
    this.#progress.stateFrom(state);
    this.#resumedAt = state.step;
    this.#stream.seek(state.position);
    this.#meter.stateFrom(state.loss);
    for (const [name, metric] of metrics) {
      const measured = state.metrics[name];
      if (measured !== undefined) metric.loadStateDict(measured);
      else if (state.stepInEpoch > 0) {
        throw new StateError(
          `${op}: in the middle of an epoch the metrics must be those of the checkpoint, got ${name}; it has ${Object.keys(state.metrics).join(", ") || "none"}.`,
          { op },
        );
      }
    }
    const { validation } = this.#options;
    if (isStateful(validation) && state.validation !== null) {
      validation.loadStateDict(state.validation as never);
    }
    for (const callback of callbacks) {
      const kept = callback.key === undefined ? undefined : state.callbacks[callback.key];
      if (kept !== undefined) callback.loadStateDict?.(kept as never);
    }
  }
}

function checkLength(options: {
  readonly epochs?: number;
  readonly steps?: number;
  readonly stepsPerEpoch?: number;
}): void {
  const { epochs, steps, stepsPerEpoch } = options;
  if ((epochs === undefined) === (steps === undefined)) {
    throw new ArgumentError(
      `${op}: either epochs or steps must be given, got ${epochs === undefined ? "neither" : "both"}.`,
      { op },
    );
  }
  for (const [name, value] of Object.entries({ epochs, steps, stepsPerEpoch })) {
    if (value === undefined || (Number.isInteger(value) && value > 0)) continue;
    throw new ArgumentError(`${op}: ${name} must be a positive integer, got ${value}.`, { op });
  }
}

/** Where data is, if it knows. */
function stateOf(data: unknown): unknown {
  return isStateful(data) ? data.stateDict() : null;
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof CheckpointError &&
    (error.cause as { code?: unknown } | null)?.code === "ENOENT"
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
