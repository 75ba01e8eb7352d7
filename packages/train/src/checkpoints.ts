import { ArgumentError, checkOptions } from "@gradloom/tensor";
import type { Callback, Run, SaveEvent } from "./callback.ts";
import { nodeFiles, nodePath } from "./node-host.ts";
import { requirePath } from "./require-path.ts";

/** Options of {@link Checkpoints}. */
export interface CheckpointsOptions {
  /** After how many steps `last.ckpt` is written, besides the ends of epochs. Default: at those alone. */
  readonly everySteps?: number;
  /** The loss or metric that says which epoch is the best. Default: the trainer's `monitor`. */
  readonly monitor?: string;
  /** Whether `best.ckpt` is written. Default true. */
  readonly keepBest?: boolean;
}

/**
 * Writes checkpoints of the whole training into a folder: `last.ckpt` at the end of each epoch, after every so many
 * steps, and when the training is stopped or aborted; `best.ckpt` when the validation was the best so far. Each is
 * replaced as a whole, so a crash at any moment leaves one that can be read.
 *
 * @throws ArgumentError if `everySteps` is not a positive integer.
 *
 * @example
 * ```ts
 * const callbacks = [new Checkpoints("run", { everySteps: 500 })];
 * const trainer = new Trainer({ model, loss, optimizer, callbacks });
 * await trainer.fit(loader, { epochs: 10, resume: "run/last.ckpt" });
 * ```
 */
export class Checkpoints implements Callback {
  readonly key = "checkpoints";
  readonly folder: string;
  /** The best value so far. */
  best: number | undefined;
  readonly #options: CheckpointsOptions;
  #savedAt = -1;

  constructor(folder: string, options: CheckpointsOptions = {}) {
    checkOptions("Checkpoints", options, { everySteps: true, monitor: true, keepBest: true });
    const { everySteps = 1 } = options;
    if (!Number.isInteger(everySteps) || everySteps < 1) {
      throw new ArgumentError(
        `Checkpoints: everySteps must be a positive integer, got ${everySteps}.`,
        { op: "Checkpoints" },
      );
    }
    requirePath("Checkpoints", "folder", folder);
    this.folder = folder;
    this.#options = options;
  }

  /** The checkpoint to go on from. */
  get last(): string {
    return nodePath("Checkpoints").join(this.folder, "last.ckpt");
  }

  /** The checkpoint of the best epoch. */
  get bestPath(): string {
    return nodePath("Checkpoints").join(this.folder, "best.ckpt");
  }

  async onStart(run: Run): Promise<void> {
    await nodeFiles("Checkpoints").mkdir(this.folder, { recursive: true });
    this.#savedAt = -1;
    if (run.resumedAt === 0) this.best = undefined;
  }

  async onSave({ at, record }: SaveEvent, run: Run): Promise<void> {
    const { everySteps, monitor, keepBest = true } = this.#options;
    if (at === "step" && (everySteps === undefined || run.step % everySteps !== 0)) return;
    if (at === "end" && this.#savedAt === run.step) return;
    let isBest = false;
    if (record !== undefined && keepBest) {
      const { value, isBetterThan } = run.monitored(record, monitor);
      isBest = this.best === undefined || isBetterThan(this.best);
      if (isBest) this.best = value;
    }
    if (isBest) await run.save(this.bestPath);
    await run.save(this.last);
    this.#savedAt = run.step;
  }

  stateDict(): Record<string, number | null> {
    return { best: this.best ?? null };
  }

  loadStateDict({ best }: { readonly best: number | null }): void {
    this.best = best ?? undefined;
  }
}
