import { checkOptions, type Tensor } from "@gradloom/tensor";
import { lstmFormula } from "./cell-formula.ts";
import {
  Recurrent,
  type RecurrentOptions,
  recurrentOptions,
  type SequenceOptions,
} from "./recurrent.ts";

/**
 * A network with long short-term memory; see {@link lstmFormula} for its gates.
 *
 * - Shape: `x [batch, time, inputSize]`, state `[h, c]`, each `[layers · directions, batch, hiddenSize]` (default: zeros)
 *   `-> [output, [hN, cN]]`, output `[batch, time, directions · hiddenSize]`; all without a batch for `x [time, inputSize]`
 * - Parameters: for each layer `weightIhL0 [4·hiddenSize, inputSize]`, `weightHhL0 [4·hiddenSize, hiddenSize]`, `biasIhL0`,
 *   `biasHhL0 [4·hiddenSize]`; gates in the order input, forget, candidate, output
 * - Init: uniform on ±1/√hiddenSize
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 * @throws ShapeError if a size differs. ArgumentError if a length is outside the sequence, IndexError if it was in a tensor.
 *
 * @example
 * ```ts
 * const lstm = new LSTM({ inputSize: 8, hiddenSize: 16 });
 * const [output, [h, c]] = lstm.forward(x); // x [batch, time, 8]
 * ```
 */
export class LSTM extends Recurrent {
  constructor(options: RecurrentOptions) {
    super(lstmFormula, checkOptions("LSTM", options, recurrentOptions));
  }

  forward(
    x: Tensor,
    state?: readonly [h: Tensor, c: Tensor],
    options: SequenceOptions = {},
  ): [output: Tensor, state: [hN: Tensor, cN: Tensor]] {
    const [output, [hN, cN]] = this.run(x, state, options);
    return [output, [hN, cN]];
  }
}
