import { checkOptions, type Tensor } from "@gradloom/tensor";
import { type Nonlinearity, rnnFormula } from "./cell-formula.ts";
import {
  Recurrent,
  type RecurrentOptions,
  recurrentOptions,
  type SequenceOptions,
} from "./recurrent.ts";

/** Options of {@link RNN}. */
export interface RNNOptions extends RecurrentOptions {
  /** Default `'tanh'`. */
  readonly nonlinearity?: Nonlinearity;
}

/**
 * An Elman network, `h_t = tanh(W_ih·x_t + b_ih + W_hh·h_{t-1} + b_hh)`.
 *
 * - Shape: `x [batch, time, inputSize]`, `h [layers · directions, batch, hiddenSize]` (default: zeros) `-> [output, hN]`, output
 *   `[batch, time, directions · hiddenSize]`; all without a batch for `x [time, inputSize]`
 * - Parameters: for each layer `weightIhL0 [hiddenSize, inputSize]`, `weightHhL0 [hiddenSize, hiddenSize]`, `biasIhL0`,
 *   `biasHhL0 [hiddenSize]`
 * - Init: uniform on ±1/√hiddenSize
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
 * @throws ShapeError if a size differs. ArgumentError if a length is outside the sequence, IndexError if it was in a tensor.
 */
export class RNN extends Recurrent {
  constructor(options: RNNOptions) {
    const known = { ...recurrentOptions, nonlinearity: true };
    const { nonlinearity = "tanh" } = checkOptions("RNN", options, known);
    super(rnnFormula("RNN", nonlinearity), options);
  }

  forward(x: Tensor, h?: Tensor, options: SequenceOptions = {}): [output: Tensor, hN: Tensor] {
    const [output, [hN]] = this.run(x, h && [h], options);
    return [output, hN];
  }
}
