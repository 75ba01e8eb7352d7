import { ArgumentError, checkOptions } from "@gradloom/tensor";
import type { Callback, Run, StepEvent } from "./callback.ts";
import type { EpochRecord, Values } from "./records.ts";
import { requirePath } from "./require-path.ts";
import { SummaryWriter } from "./summary-writer.ts";

/** Options of {@link TensorBoard}. */
export interface TensorBoardOptions {
  /** After how many steps their loss and learning rate are written. Default 50. */
  readonly everySteps?: number;
}

/**
 * Writes curves for TensorBoard: `loss/step` and `lr` every so many steps, and for each epoch the loss and the metrics
 * of training and validation, as `loss/train` and `loss/validation`. What is not a number is left out.
 *
 * @throws ArgumentError if `everySteps` is not a positive integer.
 */
export class TensorBoard implements Callback {
  readonly folder: string;
  readonly #every: number;
  #writer: SummaryWriter | undefined;

  constructor(folder: string, options: TensorBoardOptions = {}) {
    checkOptions("TensorBoard", options, { everySteps: true });
    const { everySteps = 50 } = options;
    if (!Number.isInteger(everySteps) || everySteps < 1) {
      throw new ArgumentError(
        `TensorBoard: everySteps must be a positive integer, got ${everySteps}.`,
        { op: "TensorBoard" },
      );
    }
    requirePath("TensorBoard", "folder", folder);
    this.folder = folder;
    this.#every = everySteps;
  }

  async onStart({ resumedAt }: Run): Promise<void> {
    // A training that went on repeats what came after its checkpoint, and one that begins anew everything.
    this.#writer = new SummaryWriter(this.folder, { purgeStep: resumedAt + 1 });
    await this.#writer.flush();
  }

  onStep({ step, loss, lr, gradNorm }: StepEvent): void | Promise<void> {
    if (step % this.#every === 0) return this.#write(step, loss, lr, gradNorm);
  }

  async #write(
    step: number,
    loss: StepEvent["loss"],
    lr: number,
    gradNorm: StepEvent["gradNorm"],
  ): Promise<void> {
    const norm = gradNorm === undefined ? {} : { gradNorm: await gradNorm.item() };
    this.#writer?.addScalars({ "loss/step": await loss.item(), lr, ...norm }, step);
  }

  async onEpochEnd({ step, epoch, train, validation }: EpochRecord): Promise<void> {
    const scalars = { ...tagged(train, "train"), ...tagged(validation, "validation"), epoch };
    this.#writer?.addScalars(scalars, step);
    await this.#writer?.flush();
  }

  async onEnd(): Promise<void> {
    await this.#writer?.close();
    this.#writer = undefined;
  }
}

function tagged(values: Values | undefined, of: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values ?? {}).flatMap(([name, value]) =>
      typeof value === "number" ? [[`${name}/${of}`, value]] : [],
    ),
  );
}
