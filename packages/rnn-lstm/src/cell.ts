import { checkSize, init, Module, Parameter } from "@gradloom/layers";
import { checkOptions, ShapeError, type Tensor, zeros } from "@gradloom/tensor";
import {
  type CellFormula,
  gruFormula,
  lstmFormula,
  type Nonlinearity,
  rnnFormula,
} from "./cell-formula.ts";
import { checkState, type State } from "./state.ts";

/** Options of the cells. */
export interface CellOptions {
  /** Whether there are biases. Default true. */
  readonly bias?: boolean;
}

/** One step of a recurrent network. */
abstract class Cell extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly weightIh: Parameter;
  readonly weightHh: Parameter;
  readonly biasIh: Parameter | undefined;
  readonly biasHh: Parameter | undefined;
  readonly #formula: CellFormula;

  constructor(
    inputSize: number,
    hiddenSize: number,
    formula: CellFormula,
    { bias = true }: CellOptions,
  ) {
    super();
    checkSize(this.constructor.name, "inputSize", inputSize);
    checkSize(this.constructor.name, "hiddenSize", hiddenSize);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.#formula = formula;
    const rows = formula.gates * hiddenSize;
    const bound = 1 / Math.sqrt(hiddenSize);
    const make = (shape: readonly number[]) =>
      new Parameter(init.uniform(shape, { a: -bound, b: bound }));
    this.weightIh = make([rows, inputSize]);
    this.weightHh = make([rows, hiddenSize]);
    this.biasIh = bias ? make([rows]) : undefined;
    this.biasHh = bias ? make([rows]) : undefined;
  }

  /** The next state. */
  protected next(x: Tensor, state: State | undefined): State {
    const { inputSize, hiddenSize } = this;
    const name = this.constructor.name;
    if (x.ndim < 1 || x.ndim > 2 || x.shape.at(-1) !== inputSize) {
      throw new ShapeError(
        `${name}: x must be [batch, ${inputSize}] or [${inputSize}], got [${x.shape.join(", ")}].`,
        {
          op: name,
          shapes: [x.shape],
        },
      );
    }
    const { states } = this.#formula;
    const shape = [...x.shape.slice(0, -1), hiddenSize];
    if (state)
      checkState(name, state, states, shape, x.ndim === 1 ? "hiddenSize" : "batch, hiddenSize");
    const before = state ?? Array.from({ length: states }, () => zeros(shape, { dtype: x.dtype }));
    const { weightIh, weightHh, biasIh, biasHh } = this;
    return this.#formula.step(
      x.linear(weightIh, { bias: biasIh }),
      before[0].linear(weightHh, { bias: biasHh }),
      before,
    );
  }

  override describe(): string {
    return `${this.inputSize}, ${this.hiddenSize}`;
  }
}

/** Options of {@link RNNCell}. */
export interface RNNCellOptions extends CellOptions {
  /** Default `'tanh'`. */
  readonly nonlinearity?: Nonlinearity;
}

/**
 * One step of an Elman network, `h' = tanh(W_ih·x + b_ih + W_hh·h + b_hh)`.
 *
 * - Shape: `x [batch, inputSize]`, `h [batch, hiddenSize]` (default: zeros) `-> [batch, hiddenSize]`; or all without a batch
 * - Parameters: `weightIh [hiddenSize, inputSize]`, `weightHh [hiddenSize, hiddenSize]`, `biasIh`, `biasHh [hiddenSize]`
 * - Init: uniform on ±1/√hiddenSize
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
 * @throws ShapeError if a size differs.
 */
export class RNNCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    super(
      inputSize,
      hiddenSize,
      rnnFormula("RNNCell", options.nonlinearity ?? "tanh"),
      checkOptions("RNNCell", options, { bias: true, nonlinearity: true }),
    );
  }

  forward(x: Tensor, h?: Tensor): Tensor {
    return this.next(x, h && [h])[0];
  }
}

/**
 * One step of an LSTM; see {@link lstmFormula} for its gates.
 *
 * - Shape: `x [batch, inputSize]`, `[h, c]` each `[batch, hiddenSize]` (default: zeros) `-> [h, c]`; or all without a batch
 * - Parameters: `weightIh [4·hiddenSize, inputSize]`, `weightHh [4·hiddenSize, hiddenSize]`, `biasIh`, `biasHh [4·hiddenSize]`;
 *   gates in the order input, forget, candidate, output
 * - Init: uniform on ±1/√hiddenSize
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
 * @throws ShapeError if a size differs.
 */
export class LSTMCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, lstmFormula, checkOptions("LSTMCell", options, { bias: true }));
  }

  forward(x: Tensor, state?: readonly [h: Tensor, c: Tensor]): [h: Tensor, c: Tensor] {
    const [h, c] = this.next(x, state);
    return [h, c];
  }
}

/**
 * One step of a GRU; see {@link gruFormula} for its gates.
 *
 * - Shape: `x [batch, inputSize]`, `h [batch, hiddenSize]` (default: zeros) `-> [batch, hiddenSize]`; or all without a batch
 * - Parameters: `weightIh [3·hiddenSize, inputSize]`, `weightHh [3·hiddenSize, hiddenSize]`, `biasIh`, `biasHh [3·hiddenSize]`;
 *   gates in the order reset, update, new
 * - Init: uniform on ±1/√hiddenSize
 * - PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.GRUCell.html
 * @throws ShapeError if a size differs.
 */
export class GRUCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, gruFormula, checkOptions("GRUCell", options, { bias: true }));
  }

  forward(x: Tensor, h?: Tensor): Tensor {
    return this.next(x, h && [h])[0];
  }
}
