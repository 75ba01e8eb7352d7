import { ArgumentError, checkOptions } from "@gradloom/tensor";
import { type Event, encodeRecord } from "./event-encoding.ts";
import { type NodeFile, nodeFiles, nodeModule, nodePath, nodeProcess } from "./node-host.ts";
import { requirePath } from "./require-path.ts";

/** Options of {@link SummaryWriter}. */
export interface SummaryWriterOptions {
  /** Steps from this one on that other files of the folder have do not count any more. Default: all count. */
  readonly purgeStep?: number;
}

let counter = 0;

/**
 * Writes numbers for TensorBoard: an event file in a folder, which `tensorboard --logdir` shows.
 *
 * - Source: https://www.tensorflow.org/tensorboard
 *
 * @example
 * ```ts
 * const writer = new SummaryWriter("runs/first");
 * writer.addScalar("loss/train", 0.5, 100);
 * await writer.close();
 * ```
 */
export class SummaryWriter {
  readonly folder: string;
  #waiting: Uint8Array[];
  #file: Promise<NodeFile> | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(folder: string, options: SummaryWriterOptions = {}) {
    checkOptions("SummaryWriter", options, { purgeStep: true });
    requirePath("SummaryWriter", "folder", folder);
    this.folder = folder;
    this.#waiting = [encodeRecord({ wallTime: now(), fileVersion: "brain.Event:2" })];
    const { purgeStep } = options;
    if (purgeStep !== undefined) this.#add({ wallTime: now(), step: purgeStep, isRestart: true });
  }

  /**
   * A point of a curve. A tag such as `loss/train` stands next to `loss/validation`.
   *
   * @throws ArgumentError if `step` is not an integer from 0 on.
   */
  addScalar(tag: string, value: number, step: number): void {
    this.addScalars({ [tag]: value }, step);
  }

  /** Points of several curves at the same step. @throws ArgumentError if `step` is not an integer from 0 on. */
  addScalars(scalars: Readonly<Record<string, number>>, step: number): void {
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new ArgumentError(`SummaryWriter: step must be an integer from 0 on, got ${step}.`, {
        op: "SummaryWriter",
      });
    }
    this.#add({ wallTime: now(), step, scalars });
  }

  #add(event: Event): void {
    this.#waiting.push(encodeRecord(event));
  }

  /** Brings everything to the file. */
  flush(): Promise<void> {
    const records = this.#waiting;
    this.#waiting = [];
    if (records.length === 0) return this.#written;
    this.#file ??= this.#open();
    const file = this.#file;
    this.#written = this.#written.then(async () => (await file).appendFile(concatenate(records)));
    return this.#written;
  }

  /** Does the same, and closes the file. */
  async close(): Promise<void> {
    await this.flush();
    await (await this.#file)?.close();
    this.#file = undefined;
  }

  async #open(): Promise<NodeFile> {
    const op = "SummaryWriter";
    const files = nodeFiles(op);
    await files.mkdir(this.folder, { recursive: true });
    const { hostname } = nodeModule<{ hostname(): string }>(op, "node:os");
    counter += 1;
    // TensorBoard reads the files of a folder in the order of their names.
    const name = `events.out.tfevents.${Math.floor(now())}.${hostname()}.${nodeProcess()?.pid}.${counter}`;
    return files.open(nodePath(op).join(this.folder, name), "a");
  }
}

function now(): number {
  return Date.now() / 1000;
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}
