import { noGrad, StateError, settle, Tensor, watch, zeros } from "@gradloom/tensor";

/** What a metric comes to: a number, or a table of numbers. */
export type MetricValue = number | readonly (readonly number[])[];

/** What is kept of a metric in the middle of an epoch. */
export interface MetricState {
  readonly sums: Tensor | null;
}

/**
 * What is measured over many batches, exactly: sums that grow where the tensors are, in float64, and are read once at
 * the end. `update` records and never waits: what it measures is computed with whatever is computed next, in training
 * with the optimizer's step.
 *
 * A subclass says what is summed up, and what becomes of the sums.
 *
 * @example
 * ```ts
 * class MeanAbsoluteError extends Metric {
 *   readonly name = "mae";
 *   readonly better = "min";
 *   protected measure(prediction: Tensor, target: Tensor): Tensor {
 *     return stack([prediction.sub(target).abs().sum(), full([], target.numel)]);
 *   }
 *   protected value([sum, count]: Float64Array): number {
 *     return sum / count;
 *   }
 * }
 * ```
 */
export abstract class Metric<
  Value extends MetricValue = number,
  Prediction = Tensor,
  Target = Tensor,
> {
  /** What it is called in records. */
  abstract readonly name: string;
  /** Whether a small value is good, or a large one; `undefined` if values cannot be compared. */
  abstract readonly better: "min" | "max" | undefined;
  #sums: Tensor | undefined;

  /** What a batch adds to the sums: a tensor of the same shape each time. */
  protected abstract measure(prediction: Prediction, target: Target): Tensor;

  /** What the sums mean. NaN if there is nothing to measure. */
  protected abstract value(sums: Float64Array): Value;

  /** Takes a batch. */
  update(prediction: Prediction, target: Target): void {
    noGrad(() => {
      const added = this.measure(prediction, target).to("float64");
      this.#sums ??= inPlace(zeros(added.shape, { dtype: "float64" }));
      // What is loaded may begin with others, also for a compiled step.
      watch(() => this.#sums);
      this.#sums.assign(this.#sums.add(added));
    });
  }

  /** The metric over all batches since the last `reset`. @throws StateError if there were none. */
  async compute(): Promise<Value> {
    if (this.#sums === undefined) {
      throw new StateError(
        `${this.constructor.name}: there must be one batch at least, got none. Call update(prediction, target) first.`,
        { op: "compute" },
      );
    }
    return this.value((await this.#sums.data()) as Float64Array);
  }

  /** Forgets all batches. */
  reset(): void {
    if (this.#sums !== undefined) this.#start(zeros(this.#sums.shape, { dtype: "float64" }));
  }

  /** What has been measured so far. Later batches do not change what was taken. */
  stateDict(): MetricState {
    return { sums: this.#sums === undefined ? null : this.#sums.detach().clone() };
  }

  /** Goes on from there. */
  loadStateDict({ sums }: MetricState): void {
    if (sums === null) this.#sums = undefined;
    else this.#start(sums.to("float64"));
  }

  #start(sums: Tensor): void {
    if (String(this.#sums?.shape) === String(sums.shape)) {
      noGrad(() => void this.#sums!.assign(sums));
      // On its own, so that the next step has the plan of all others.
      settle([]);
    } else {
      this.#sums = inPlace(sums);
    }
  }
}

/** A value of its own, in place before the first step, which is one like all others then. */
function inPlace(value: Tensor): Tensor {
  const state = new Tensor(value.clone());
  settle([state]);
  return state;
}
