import { checkOptions, StateError, type Tensor } from "@gradloom/tensor";
import type { Batches } from "./batch.ts";
import { evaluate } from "./evaluation.ts";
import type { Abort, FitResult, Values } from "./records.ts";
import { Setup, type TrainerOptions } from "./setup.ts";
import { type FitOptions, Training } from "./training.ts";

/** Options of `trainer.evaluate`. */
export interface EvaluateOptions {
  /** An `AbortSignal` that ends the evaluation: an error is thrown then. */
  readonly signal?: Abort;
}

/**
 * The training loop, with what surrounds it: validation, metrics, accumulation of gradients, clipping, schedules,
 * averages of the weights, callbacks, and checkpoints that a killed training goes on from as if nothing had happened.
 *
 * A step is the one that you would write: `zeroGrad`, `backward`, `step`. Losses and metrics are read now and then, not
 * in each step, so the loop waits for nothing but data.
 *
 * @throws ArgumentError if an option is out of its range, or the optimizer has no parameters of the model.
 *
 * @example
 * ```ts
 * const optimizer = new Adam(model.parameters());
 * const trainer = new Trainer({ model, loss: new CrossEntropyLoss(), optimizer, metrics: [new Accuracy()] });
 * const { history } = await trainer.fit(loader, { epochs: 5, validation: testLoader });
 * console.log(history.at(-1)?.validation?.accuracy);
 * ```
 */
export class Trainer<Input = Tensor, Target = Tensor, Prediction = Tensor> {
  readonly #setup: Setup<Input, Target, Prediction>;
  #isFitting = false;

  constructor(options: TrainerOptions<Input, Target, Prediction>) {
    this.#setup = new Setup(options);
  }

  /**
   * Trains. Each call is a training of its own: it counts from step 0, unless it goes on from a checkpoint.
   *
   * @returns how it ended, also if the signal was aborted, and a record of each epoch.
   * @throws StateError if there is no data, a loss is not finite, or the trainer trains already. ArgumentError if an option is out of its range.
   *   CheckpointError if the checkpoint to go on from is damaged.
   */
  async fit(train: Batches<Input, Target>, options: FitOptions<Input, Target>): Promise<FitResult> {
    if (this.#isFitting) {
      throw new StateError("fit: a trainer must train once at a time, got a call during another.", {
        op: "fit",
      });
    }
    const training = new Training(this.#setup, train, options);
    this.#isFitting = true;
    try {
      return await training.run();
    } finally {
      this.#isFitting = false;
    }
  }

  /**
   * The loss and the metrics over all batches, in evaluation mode and without gradients.
   *
   * @throws StateError if there is no data. The signal's reason if it is aborted.
   */
  async evaluate(data: Batches<Input, Target>, options: EvaluateOptions = {}): Promise<Values> {
    checkOptions("evaluate", options, { signal: true });
    const { signal } = options;
    const values = await evaluate("evaluate", this.#setup, data, signal);
    if (values === undefined) throw signal?.reason;
    return values;
  }
}
