import { checkOptions, type Tensor } from "@gradloom/tensor";
import { gruFormula } from "./cell-formula.ts";
import {
  Recurrent,
  type RecurrentOptions,
  recurrentOptions,
  type SequenceOptions,
} from "./recurrent.ts";

/**
 * A GRU; see {@link gruFormula} for its gates.
 *
 * - Shape: `x [batch, time, inputSize]`, `h [layers · directions, batch, hiddenSize]` (default: zeros) `-> [output, hN]`, output
 *   `[batch, time, directions · hiddenSize]`; all without a batch for `x [time, inputSize]`
 * - Parameters: for each layer `weightIhL0 [3·hiddenSize, inputSize]`, `weightHhL0 [3·hiddenSize, hiddenSize]`, `biasIhL0`,
 *   `biasHhL0 [3·hiddenSize]`; gates in the order reset, update, new
 * - Init: uniform on ±1/√hiddenSize
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.GRU.html
 * @throws ShapeError if a size differs. ArgumentError if a length is outside the sequence, IndexError if it was in a tensor.
 */
export class GRU extends Recurrent {
  constructor(options: RecurrentOptions) {
    super(gruFormula, checkOptions("GRU", options, recurrentOptions));
  }

  forward(x: Tensor, h?: Tensor, options: SequenceOptions = {}): [output: Tensor, hN: Tensor] {
    const [output, [hN]] = this.run(x, h && [h], options);
    return [output, hN];
  }
}
