import { checkOptions, type Tensor } from "@gradloom/tensor";
import { type Activation, activationFunction, nameOf } from "./activation.ts";
import { Dropout } from "./dropout.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";

/** Options of {@link FeedForward}. */
export interface FeedForwardOptions {
  /** A name or a function. Default `'relu'`, as in the paper. */
  readonly activation?: Activation;
  /**
   * The probability with which a feature between the two maps is dropped in training. Default 0.
   */
  readonly dropout?: number;
  /** Whether the two maps have biases. Default true. */
  readonly bias?: boolean;
}

/**
 * The position-wise part of a transformer block, `y = down(dropout(activation(up(x))))`.
 *
 * - Shape: `x [..., dModel] -> [..., dModel]`, `dFf` features in between
 * - Parameters: those of the `Linear`s `up` and `down`
 * - Paper: Vaswani et al. 2017, section 3.3, https://arxiv.org/abs/1706.03762
 */
export class FeedForward extends Module {
  readonly up: Linear;
  readonly down: Linear;
  readonly activation: Activation;
  readonly dropout: Dropout;

  constructor(dModel: number, dFf: number, options: FeedForwardOptions = {}) {
    super();
    checkOptions("FeedForward", options, { activation: true, dropout: true, bias: true });
    const { bias = true } = options;
    this.up = new Linear(dModel, dFf, { bias });
    this.down = new Linear(dFf, dModel, { bias });
    this.activation = options.activation ?? "relu";
    activationFunction("FeedForward", this.activation);
    this.dropout = new Dropout(options.dropout ?? 0);
  }

  forward(x: Tensor): Tensor {
    const activate = activationFunction("FeedForward", this.activation);
    return this.down.forward(this.dropout.forward(activate(this.up.forward(x))));
  }

  override describe(): string {
    return `activation=${nameOf(this.activation)}`;
  }
}
