import type { Tensor } from "@gradloom/tensor";
import type { EpochRecord, FitResult } from "./records.ts";

/** What a callback may do and know. */
export interface Run {
  /** The present epoch, from 1. */
  readonly epoch: number;
  /** How many steps the optimizer has taken. */
  readonly step: number;
  /** How many of them in the present epoch. */
  readonly stepInEpoch: number;
  /** How many steps there will be in all, and in an epoch, where that is known. */
  readonly steps: number | undefined;
  readonly stepsPerEpoch: number | undefined;
  /** How many epochs there will be, unless steps are counted. */
  readonly epochs: number | undefined;
  /** The epochs so far, also those before a checkpoint that the training went on from. */
  readonly history: readonly EpochRecord[];
  /** The step that the training went on from; 0 if it began. */
  readonly resumedAt: number;
  /** The loss or metric that counts unless a callback has its own. */
  readonly monitor: string;
  /** Ends the training in good order. The epoch is closed as it is. */
  stop(reason: string): void;
  /** Writes a checkpoint of the whole training. To be called from `onSave` alone. */
  save(path: string): Promise<void>;
  /**
   * What a record says about a loss or metric: of the validation if there was one, else of the training.
   *
   * @throws ArgumentError if there is no number of this name.
   */
  monitored(record: EpochRecord, name?: string): Monitored;
}

/** The value that a decision depends on. */
export interface Monitored {
  readonly name: string;
  readonly value: number;
  /** Whether it is better than another one. */
  isBetterThan(other: number, byAtLeast?: number): boolean;
}

/** What is known after a step. */
export interface StepEvent {
  readonly epoch: number;
  readonly step: number;
  /** Of the step's batches. Reading it waits for it. */
  readonly loss: Tensor;
  /** The norm of the gradients before clipping, if they are clipped by norm. */
  readonly gradNorm: Tensor | undefined;
  /** The learning rate of the step. */
  readonly lr: number;
}

/** When a checkpoint can be written: all callbacks have seen the step or the epoch. */
export interface SaveEvent {
  readonly at: "step" | "epoch" | "end";
  /** The epoch that has just ended. */
  readonly record: EpochRecord | undefined;
}

type Awaitable = void | Promise<void>;

/**
 * What happens besides the training. Each hook may be missing; one that returns a promise is waited for.
 *
 * A callback that remembers something has a `key` and says where it is: then checkpoints keep it.
 */
export interface Callback {
  /** Once, before the first step; after a checkpoint was loaded. */
  onStart?(run: Run): Awaitable;
  /** After each step of the optimizer. */
  onStep?(event: StepEvent, run: Run): Awaitable;
  /** At the end of an epoch, after the validation. */
  onEpochEnd?(record: EpochRecord, run: Run): Awaitable;
  /** After each of these, when all callbacks have seen it. */
  onSave?(event: SaveEvent, run: Run): Awaitable;
  /** Once, however it ended. */
  onEnd?(result: FitResult, run: Run): Awaitable;
  /** Under which name checkpoints keep the state. */
  readonly key?: string;
  stateDict?(): Readonly<Record<string, number | string | boolean | null>>;
  loadStateDict?(state: never): void;
}
