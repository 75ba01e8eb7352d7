import {
  type Activation,
  activationFunction,
  checkSize,
  init,
  Module,
  Parameter,
} from "@gradloom/layers";
import {
  ArgumentError,
  checkOptions,
  groupedMatmul,
  noGrad,
  stack,
  type Tensor,
} from "@gradloom/tensor";
import { Expert, type ExpertOptions } from "./expert.ts";

/** Rows that are sorted by expert. */
export interface SortedRows {
  /** How many rows each expert has, int32 `[numExperts]`. */
  readonly sizes: Tensor;
  /** The expert of each row, int32 `[rows]`. */
  readonly expert: Tensor;
}

/**
 * Many experts of the same sizes, each of which computes its own rows: those of expert `e` become
 * `down[e](activation(up[e](x)))`. Their weights are stacked, so that one grouped product serves all of them and costs as much as
 * the rows that there are.
 *
 * - Shape: `x [rows, inputDim] -> [rows, outputDim]`
 * - Parameters: `upWeight [numExperts, inputDim, hiddenDim]`, `upBias [numExperts, hiddenDim]`, `downWeight [numExperts, hiddenDim,
 *   outputDim]`, `downBias [numExperts, outputDim]`. A weight of an {@link Expert} is the transpose of its part.
 * - Init: as that of `Linear`, uniform on ±1/√(size of the input)
 * @throws ArgumentError if a size is not a positive integer or there is no such activation.
 */
export class Experts extends Module {
  readonly upWeight: Parameter;
  readonly upBias: Parameter;
  readonly downWeight: Parameter;
  readonly downBias: Parameter;
  readonly activation: Activation;

  constructor(
    numExperts: number,
    inputDim: number,
    hiddenDim: number,
    outputDim: number,
    options: ExpertOptions = {},
  ) {
    super();
    checkOptions("Experts", options, { activation: true });
    const sizes = { numExperts, inputDim, hiddenDim, outputDim };
    for (const [name, size] of Object.entries(sizes)) checkSize("Experts", name, size);
    const parameter = (shape: readonly number[], fanIn: number): Parameter => {
      const bound = 1 / Math.sqrt(fanIn);
      return new Parameter(init.uniform(shape, { a: -bound, b: bound }));
    };
    this.upWeight = parameter([numExperts, inputDim, hiddenDim], inputDim);
    this.upBias = parameter([numExperts, hiddenDim], inputDim);
    this.downWeight = parameter([numExperts, hiddenDim, outputDim], hiddenDim);
    this.downBias = parameter([numExperts, outputDim], hiddenDim);
    this.activation = options.activation ?? "gelu";
    activationFunction("Experts", this.activation);
  }

  forward(x: Tensor, { sizes, expert }: SortedRows): Tensor {
    const activate = activationFunction("Experts", this.activation);
    const up = groupedMatmul(x, this.upWeight, sizes).add(this.upBias.indexSelect(0, expert));
    const down = groupedMatmul(activate(up), this.downWeight, sizes);
    return down.add(this.downBias.indexSelect(0, expert));
  }

  /**
   * A copy of one expert.
   *
   * @throws ShapeError if there is none of this number.
   */
  at(index: number): Expert {
    const [, inputDim, hiddenDim] = this.upWeight.shape;
    const [, outputDim] = this.downBias.shape;
    const { activation } = this;
    const expert = new Expert(inputDim, hiddenDim, outputDim, { activation });
    expert.to(this.upWeight.dtype);
    noGrad(() => {
      expert.up.weight.assign(this.upWeight.select(0, index).t());
      expert.up.bias?.assign(this.upBias.select(0, index));
      expert.down.weight.assign(this.downWeight.select(0, index).t());
      expert.down.bias?.assign(this.downBias.select(0, index));
    });
    return expert;
  }

  /**
   * Takes over the weights of experts that were made, trained or loaded one by one.
   *
   * @throws ArgumentError if they are not as many as there are here. ShapeError if their sizes are others.
   */
  assign(experts: readonly Expert[]): void {
    const [count] = this.upBias.shape;
    if (experts.length !== count) {
      throw new ArgumentError(
        `Experts: there must be ${count} experts, got ${experts.length}. Make as many.`,
        { op: "Experts" },
      );
    }
    const all = (part: (expert: Expert) => Tensor) => stack(experts.map(part));
    noGrad(() => {
      this.upWeight.assign(all(({ up }) => up.weight.t()));
      this.upBias.assign(all(({ up }) => up.bias!));
      this.downWeight.assign(all(({ down }) => down.weight.t()));
      this.downBias.assign(all(({ down }) => down.bias!));
    });
  }

  override describe(): string {
    const [numExperts, inputDim, hiddenDim] = this.upWeight.shape;
    const [, outputDim] = this.downBias.shape;
    return `numExperts=${numExperts}, inputDim=${inputDim}, hiddenDim=${hiddenDim}, outputDim=${outputDim}`;
  }
}
