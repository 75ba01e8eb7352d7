import { StateError, type Tensor } from "@gradloom/tensor";

/** What is kept of a {@link LossMeter}. */
export interface LossMeterState {
  readonly sum: number;
  readonly weight: number;
}

/** The mean of losses, which are read when somebody asks and not before: a loop with it never waits for a value. */
export class LossMeter {
  readonly #op: string;
  #pending: { readonly loss: Tensor; readonly weight: number; readonly step: number }[] = [];
  #sum = 0;
  #weight = 0;

  constructor(op: string) {
    this.#op = op;
  }

  /** Takes a loss, which counts as much as its weight. */
  add(loss: Tensor, weight: number, step: number): void {
    this.#pending.push({ loss: loss.detach(), weight, step });
  }

  /**
   * Reads what has come since the last time.
   *
   * @throws StateError if a loss is not finite.
   */
  async drain(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    for (const { loss, weight, step } of pending) {
      const value = await loss.item();
      if (!Number.isFinite(value)) {
        throw new StateError(
          `${this.#op}: the loss must be finite, got ${value} in step ${step}. Try a smaller learning rate or clipGradNorm; setDetectAnomaly(true) finds the operation where it begins.`,
          { op: this.#op },
        );
      }
      this.#sum += value * weight;
      this.#weight += weight;
    }
  }

  /** The weighted mean of what has been read. */
  get mean(): number {
    return this.#sum / this.#weight;
  }

  reset(): void {
    this.stateFrom({ sum: 0, weight: 0 });
  }

  /** What has been read so far: drain it first. */
  get state(): LossMeterState {
    return { sum: this.#sum, weight: this.#weight };
  }

  stateFrom({ sum, weight }: LossMeterState): void {
    this.#pending = [];
    this.#sum = sum;
    this.#weight = weight;
  }
}
