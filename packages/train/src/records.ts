import type { MetricValue } from "./metric.ts";

/** A loss and metrics, by name. */
export type Values = { readonly loss: number } & Readonly<Record<string, MetricValue>>;

/** What is kept of an epoch. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** How many steps the optimizer has taken. */
  readonly step: number;
  /** The learning rate of the last step. */
  readonly lr: number;
  /** Over the batches of the epoch, each with the weights that it met. */
  readonly train: Values;
  /** With the weights at the end of the epoch. */
  readonly validation?: Values;
  /** How long the epoch took, without the validation. */
  readonly seconds: number;
  /** How much of it the training has waited for batches. */
  readonly dataSeconds: number;
}

/** How a training ended. */
export interface FitResult {
  /** All epochs or steps are done; a callback stopped it; the signal aborted it; an error was thrown. */
  readonly status: "finished" | "stopped" | "aborted" | "failed";
  /** In a sentence, what happened. */
  readonly reason: string;
  /** Epochs that are over. */
  readonly epoch: number;
  readonly step: number;
  readonly history: readonly EpochRecord[];
}

/** What is asked of an `AbortSignal`, so that these types need none of a page. */
export interface Abort {
  readonly aborted: boolean;
  readonly reason?: unknown;
}
