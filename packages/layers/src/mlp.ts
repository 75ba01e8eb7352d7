import { ArgumentError, checkOptions, type Tensor } from "@gradloom/tensor";
import { type Activation, activationFunction, nameOf } from "./activation.ts";
import { Dropout } from "./dropout.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { ModuleList } from "./module-list.ts";

/** Options of {@link MLP}. */
export interface MLPOptions {
  /** A name or a function. Default `'relu'`. */
  readonly activation?: Activation;
  /** The probability with which a hidden feature is dropped in training. Default 0. */
  readonly dropout?: number;
}

/**
 * Multi-layer perceptron: `h ← dropout(activation(h Wᵀ + b))` for each hidden layer, then `y = h Wᵀ
 * + b`.
 *
 * - Shape: `x [..., inFeatures] -> [..., outFeatures]`
 * - Parameters: those of the `Linear`s in `layers`: `layers.0.weight [hidden[0], inFeatures]`, …
 */
export class MLP extends Module {
  readonly layers: ModuleList<Linear>;
  readonly activation: Activation;
  readonly dropout: Dropout;

  constructor(
    inFeatures: number,
    hidden: readonly number[],
    outFeatures: number,
    options: MLPOptions = {},
  ) {
    super();
    checkOptions("MLP", options, { activation: true, dropout: true });
    if (!Array.isArray(hidden)) {
      throw new ArgumentError(`MLP: hidden must be an array of sizes, got ${hidden}.`, {
        op: "MLP",
      });
    }
    const sizes = [inFeatures, ...hidden, outFeatures];
    this.layers = new ModuleList(sizes.slice(1).map((size, i) => new Linear(sizes[i], size)));
    this.activation = options.activation ?? "relu";
    activationFunction("MLP", this.activation);
    this.dropout = new Dropout(options.dropout ?? 0);
  }

  forward(x: Tensor): Tensor {
    const activate = activationFunction("MLP", this.activation);
    const [first, ...rest] = this.layers;
    return rest.reduce(
      (h, layer) => layer.forward(this.dropout.forward(activate(h))),
      first.forward(x),
    );
  }

  override describe(): string {
    return `activation=${nameOf(this.activation)}`;
  }
}
