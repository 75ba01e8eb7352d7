import {
  ArgumentError,
  checkOptions,
  live,
  noGrad,
  onEachRun,
  StateError,
  settle,
  Tensor,
} from "@gradloom/tensor";
import { tensorsOf } from "./parameter-groups.ts";
import { snapshot } from "./snapshot.ts";

/** Options of {@link ExponentialMovingAverage}. */
export interface ExponentialMovingAverageOptions {
  /** The share of the average that stays at each update, in [0, 1]. Default 0.999. */
  readonly decay?: number;
  /** Whether the average begins quickly: the decay of update n is at most `(1 + n) / (10 + n)`. Default false. */
  readonly useNumUpdates?: boolean;
}

/** The state of an average. */
export interface ExponentialMovingAverageStateDict {
  readonly decay: number;
  readonly num_updates: number;
  /** The averages, in the order of the parameters. */
  readonly shadow_params: readonly Tensor[];
}

/**
 * Averages of parameters, which are often better than the parameters: `a ← decay · a + (1 − decay) · θ` at each
 * `update()`. The averages begin with the parameters as they are when this is made.
 *
 * `update()` records: it is computed with whatever is computed next, in one kernel with the next optimizer step.
 *
 * - Differs from PyTorch's `AveragedModel`, whose first update copies the parameters
 * - Paper: Polyak & Juditsky 1992, https://doi.org/10.1137/0330046
 *
 * @throws ArgumentError if `decay` is not in [0, 1], or there are no parameters.
 *
 * @example
 * ```ts
 * const average = new ExponentialMovingAverage(model.parameters(), { decay: 0.99 });
 * optimizer.step();
 * average.update();
 * const accuracy = await average.averageParameters(() => evaluate(model));
 * ```
 */
export class ExponentialMovingAverage {
  /** Floating parameters are averaged; others, and buffers that are integers, are copied. */
  readonly params: readonly Tensor[];
  /** The averages, in the order of the parameters. */
  readonly shadowParams: readonly Tensor[];
  decay: number;
  readonly #useNumUpdates: boolean;
  #updates = 0;
  #stored: readonly Tensor[] | undefined;

  constructor(params: Iterable<Tensor>, options: ExponentialMovingAverageOptions = {}) {
    const { decay = 0.999, useNumUpdates = false } = options;
    checkOptions("ExponentialMovingAverage", options, { decay: true, useNumUpdates: true });
    checkDecay(decay);
    this.params = tensorsOf("ExponentialMovingAverage", params);
    if (this.params.length === 0) {
      throw new ArgumentError(
        "ExponentialMovingAverage: there must be parameters, got an empty list. Pass model.parameters().",
      );
    }
    this.decay = decay;
    this.#useNumUpdates = useNumUpdates;
    this.shadowParams = this.params.map((parameter) => snapshot(parameter));
    // In place from the start, so that a compiled function may be the first to update them.
    settle([...this.params, ...this.shadowParams].map((tensor) => new Tensor(tensor)));
  }

  /** How often the averages have been updated. */
  get numUpdates(): number {
    return this.#updates;
  }

  /** Takes the parameters as they are now into the averages. */
  update(): void {
    // Asked for now, not when the update is computed: another one may have been recorded by then.
    let share = 0;
    onEachRun(() => {
      this.#updates += 1;
      share = 1 - this.#currentDecay();
    });
    noGrad(() => {
      this.params.forEach((parameter, i) => {
        const shadow = this.shadowParams[i];
        if (!isFloating(parameter)) {
          shadow.assign(parameter);
          return;
        }
        const towards = parameter.sub(shadow).mul(live(() => share, parameter));
        shadow.assign(shadow.add(towards));
      });
    });
  }

  #currentDecay(): number {
    if (!this.#useNumUpdates) return this.decay;
    return Math.min(this.decay, (1 + this.#updates) / (10 + this.#updates));
  }

  /** Puts the averages into the parameters, or into others of the same shapes. */
  copyTo(params: Iterable<Tensor> = this.params): void {
    assignAll("copyTo", [...params], this.shadowParams);
  }

  /** Keeps the parameters as they are, for {@link ExponentialMovingAverage.restore}. */
  store(): void {
    this.#stored = this.params.map((parameter) => snapshot(parameter));
    settle(this.#stored);
  }

  /**
   * Puts back what was kept last.
   *
   * @throws StateError if nothing was.
   */
  restore(): void {
    if (this.#stored === undefined) {
      throw new StateError("restore: parameters must have been stored. Call store() first.");
    }
    assignAll("restore", this.params, this.#stored);
    this.#stored = undefined;
  }

  /** Runs `fn` with the averages in the place of the parameters, and puts those back, also if `fn` throws. */
  averageParameters<T>(fn: () => T): T {
    this.store();
    this.copyTo();
    let isPending = false;
    try {
      const result = fn();
      if (result instanceof Promise) {
        isPending = true;
        return result.finally(() => this.restore()) as T;
      }
      return result;
    } finally {
      if (!isPending) this.restore();
    }
  }

  /** All that is needed to go on later. Later updates do not change what was taken. */
  stateDict(): ExponentialMovingAverageStateDict {
    return {
      decay: this.decay,
      num_updates: this.#updates,
      shadow_params: this.shadowParams.map((shadow) => snapshot(shadow)),
    };
  }

  /** @throws StateError or ArgumentError that says what does not fit. Then nothing has changed. */
  loadStateDict(dict: ExponentialMovingAverageStateDict): void {
    const { decay, num_updates, shadow_params } = dict;
    checkDecay(decay);
    if (!Number.isInteger(num_updates)) {
      throw new StateError(`loadStateDict: num_updates must be an integer, got ${num_updates}.`);
    }
    assignAll("loadStateDict", this.shadowParams, shadow_params);
    this.decay = decay;
    this.#updates = num_updates;
  }
}

function checkDecay(decay: number): void {
  if (decay >= 0 && decay <= 1) return;
  throw new ArgumentError(`ExponentialMovingAverage: decay must be in [0, 1], got ${decay}.`, {
    op: "ExponentialMovingAverage",
  });
}

function isFloating({ dtype }: Tensor): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** @throws StateError unless the shapes are equal, one by one. */
function assignAll(op: string, targets: readonly Tensor[], values: readonly Tensor[]): void {
  const shapes = [targets, values].map((list) =>
    list.map(({ shape }) => `[${shape.join(", ")}]`).join(" "),
  );
  if (shapes[0] !== shapes[1]) {
    throw new StateError(
      `${op}: shapes must be equal, got ${shapes[1] || "none"} for ${shapes[0]}.`,
      { op },
    );
  }
  noGrad(() => {
    targets.forEach((target, i) => {
      target.assign(values[i].detach().to(target.dtype));
    });
  });
}
