import { type Activation, activationFunction, Linear, Module } from "@gradloom/layers";
import { checkOptions, type Tensor } from "@gradloom/tensor";

/** Options of {@link Expert}. */
export interface ExpertOptions {
  /** A name or a function. Default `'gelu'`. */
  readonly activation?: Activation;
}

/**
 * One expert: a small network of its own, `y = down(activation(up(x)))`.
 *
 * - Shape: `x [..., inputDim] -> [..., outputDim]`
 * - Parameters: those of the `Linear`s `up` and `down`
 * @throws ArgumentError if a size is not a positive integer or there is no such activation.
 *
 * @example
 * ```ts
 * const y = new Expert(64, 256, 64).forward(x);
 * ```
 */
export class Expert extends Module {
  readonly up: Linear;
  readonly down: Linear;
  readonly activation: Activation;

  constructor(inputDim: number, hiddenDim: number, outputDim: number, options: ExpertOptions = {}) {
    super();
    checkOptions("Expert", options, { activation: true });
    this.up = new Linear(inputDim, hiddenDim);
    this.down = new Linear(hiddenDim, outputDim);
    this.activation = options.activation ?? "gelu";
    activationFunction("Expert", this.activation);
  }

  forward(x: Tensor): Tensor {
    const activate = activationFunction("Expert", this.activation);
    return this.down.forward(activate(this.up.forward(x)));
  }
}
