import { checkSize, Dropout, init, Module, Parameter } from "@gradloom/layers";
import {
  ArgumentError,
  arange,
  cat,
  checkOptions,
  ShapeError,
  scan,
  stack,
  Tensor,
  tensor,
  where,
  zeros,
} from "@gradloom/tensor";
import type { CellFormula } from "./cell-formula.ts";
import { checkState, type State } from "./state.ts";

/** Options of {@link RNN}, {@link LSTM} and {@link GRU}. */
export interface RecurrentOptions {
  /** Features of an element of the sequence. */
  readonly inputSize: number;
  /** Features of the hidden state. */
  readonly hiddenSize: number;
  /** Layers on top of each other: each reads the outputs of the one below. Default 1. */
  readonly numLayers?: number;
  /** Whether there are biases. Default true. */
  readonly bias?: boolean;
  /** Whether sequences are `[batch, time, …]` rather than `[time, batch, …]`. Default true. */
  readonly batchFirst?: boolean;
  /** The probability with which outputs of all layers but the last are dropped in training. Default 0. */
  readonly dropout?: number;
  /** Whether a second network reads the sequence from its end; outputs are side by side. Default false. */
  readonly bidirectional?: boolean;
}

/** Their names, for `checkOptions`. */
export const recurrentOptions: Readonly<Record<keyof RecurrentOptions, true>> = {
  inputSize: true,
  hiddenSize: true,
  numLayers: true,
  bias: true,
  batchFirst: true,
  dropout: true,
  bidirectional: true,
};

/** Options of `forward`. */
export interface SequenceOptions {
  /**
   * How long each sequence of the batch is: the state at its end is what counts, outputs behind it are 0, as PyTorch's packed
   * sequences give. In a list or in a tensor of int32; one that is not in 1 … time is an error. Default: all of it.
   */
  readonly lengths?: readonly number[] | Tensor | undefined;
}

/**
 * A recurrent network of several layers. Parameters are PyTorch's: `weightIhL0`, `weightHhL0`, `biasIhL0`, `biasHhL0`, those of
 * further layers with their numbers, those of the backward direction with `Reverse` behind it.
 */
export abstract class Recurrent extends Module {
  readonly [weight: `weight${string}`]: Parameter;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly batchFirst: boolean;
  readonly bidirectional: boolean;
  readonly dropout: Dropout;
  readonly #formula: CellFormula;

  constructor(formula: CellFormula, options: RecurrentOptions) {
    super();
    const { inputSize, hiddenSize, numLayers = 1, bias = true } = options;
    for (const [name, size] of Object.entries({ inputSize, hiddenSize, numLayers })) {
      checkSize(this.constructor.name, name, size);
    }
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.batchFirst = options.batchFirst ?? true;
    this.bidirectional = options.bidirectional ?? false;
    this.dropout = new Dropout(options.dropout ?? 0);
    this.#formula = formula;
    const rows = formula.gates * hiddenSize;
    const bound = 1 / Math.sqrt(hiddenSize);
    const make = (...shape: number[]) =>
      new Parameter(init.uniform(shape, { a: -bound, b: bound }));
    for (let layer = 0; layer < numLayers; layer++) {
      for (const suffix of this.#suffixes(layer)) {
        const features = layer === 0 ? inputSize : hiddenSize * this.numDirections;
        Reflect.set(this, `weightIh${suffix}`, make(rows, features));
        Reflect.set(this, `weightHh${suffix}`, make(rows, hiddenSize));
        if (!bias) continue;
        Reflect.set(this, `biasIh${suffix}`, make(rows));
        Reflect.set(this, `biasHh${suffix}`, make(rows));
      }
    }
  }

  /** 2 if bidirectional. */
  get numDirections(): number {
    return this.bidirectional ? 2 : 1;
  }

  #suffixes(layer: number): string[] {
    return this.bidirectional ? [`L${layer}`, `L${layer}Reverse`] : [`L${layer}`];
  }

  #parameter(name: string): Parameter | undefined {
    return Reflect.get(this, name) as Parameter | undefined;
  }

  /** The outputs of the last layer, and the state of all layers and directions after the last element. */
  protected run(
    x: Tensor,
    state: State | undefined,
    options: SequenceOptions,
  ): [output: Tensor, state: Tensor[]] {
    checkOptions(this.constructor.name, options, { lengths: true });
    const { lengths } = options;
    this.#checkInput(x);
    if (state) this.#checkState(state, x);
    if (x.ndim === 2) {
      const [output, final] = this.run(
        x.unsqueeze(this.batchFirst ? 0 : 1),
        state?.map((part) => part.unsqueeze(1)),
        options,
      );
      return [output.squeeze(this.batchFirst ? 0 : 1), final.map((part) => part.squeeze(1))];
    }
    let sequence = this.batchFirst ? x.transpose(0, 1) : x;
    const [time, batch] = sequence.shape;
    const before = state ?? this.#zeroState(batch);
    const mask = lengths == null ? undefined : this.#mask(lengths, time, batch);
    const final: State[] = [];
    for (let layer = 0; layer < this.numLayers; layer++) {
      if (layer > 0) sequence = this.dropout.forward(sequence);
      const outputs = this.#suffixes(layer).map((suffix, direction) => {
        const start = before.map((part) => part.select(0, final.length));
        const [output, end] = this.#direction(suffix, sequence, start, mask, direction === 1);
        final.push(end);
        return output;
      });
      sequence = outputs.length === 1 ? outputs[0] : cat(outputs, 2);
    }
    const output = this.batchFirst ? sequence.transpose(0, 1) : sequence;
    return [output, before.map((_, i) => stack(final.map((end) => end[i])))];
  }

  /** One layer in one direction: what comes from the inputs is one product for all times, the rest a loop. */
  #direction(
    suffix: string,
    sequence: Tensor,
    before: State,
    mask: Tensor | undefined,
    reverse: boolean,
  ): [output: Tensor, end: State] {
    const weightHh = this.#parameter(`weightHh${suffix}`)!;
    const biasHh = this.#parameter(`biasHh${suffix}`);
    const fromInputs = sequence.linear(this.#parameter(`weightIh${suffix}`)!, {
      bias: this.#parameter(`biasIh${suffix}`),
    });
    // What the loop carries keeps its precision, so it has that of all that is mixed here from the start.
    const isDouble = [fromInputs, ...before].some(({ dtype }) => dtype === "float64");
    const start = before.map((part) => part.to(isDouble ? "float64" : fromInputs.dtype));
    const step = (state: State, [fromInput, isInside]: readonly Tensor[]): [State, Tensor[]] => {
      const fromHidden = state[0].linear(weightHh, { bias: biasHh });
      const next = this.#formula.step(fromInput, fromHidden, state);
      if (isInside === undefined) return [next, [next[0]]];
      const kept = next.map((part, i) => where(isInside, part, state[i]));
      return [kept, [where(isInside, next[0], 0)]];
    };
    const elements = mask === undefined ? [fromInputs] : [fromInputs, mask];
    if (sequence.shape[0] === 1) {
      const [end, [output]] = step(
        start,
        elements.map((part) => part.select(0, 0)),
      );
      return [output.unsqueeze(0), end];
    }
    const [end, [output]] = scan(step, start, elements, { reverse });
    return [output, end];
  }

  #checkInput(x: Tensor): void {
    const { batchFirst, inputSize } = this;
    const name = this.constructor.name;
    const time = batchFirst ? 1 : 0;
    const isFitting = x.shape.at(-1) === inputSize && (x.ndim === 3 || x.ndim === 2);
    if (isFitting && x.shape[x.ndim === 3 ? time : 0] > 0) return;
    const order = batchFirst ? "batch, time" : "time, batch";
    throw new ShapeError(
      `${name}: x must be [${order}, ${inputSize}] or [time, ${inputSize}], with at least one time, got [${x.shape.join(", ")}].`,
      { op: name, shapes: [x.shape] },
    );
  }

  #checkState(state: State, x: Tensor): void {
    const count = this.numLayers * this.numDirections;
    const batch = x.ndim === 2 ? [] : [x.shape[this.batchFirst ? 0 : 1]];
    const axes = `layers · directions, ${x.ndim === 2 ? "" : "batch, "}hiddenSize`;
    const shape = [count, ...batch, this.hiddenSize];
    checkState(this.constructor.name, state, this.#formula.states, shape, axes);
  }

  #zeroState(batch: number): State {
    const shape = [this.numLayers * this.numDirections, batch, this.hiddenSize];
    return Array.from({ length: this.#formula.states }, () => zeros(shape));
  }

  /** `[time, batch, 1]`: whether a time is inside of a sequence. */
  #mask(lengths: readonly number[] | Tensor, time: number, batch: number): Tensor {
    const name = this.constructor.name;
    const list = lengths instanceof Tensor || Symbol.iterator in Object(lengths) ? lengths : [];
    const given = list instanceof Tensor ? list : tensor([...list], { dtype: "int32" });
    if (given.ndim !== 1 || given.shape[0] !== batch) {
      throw new ShapeError(
        `${name}: lengths must be [${batch}], one for each sequence, got [${given.shape.join(", ")}].`,
        {
          op: name,
          shapes: [given.shape],
        },
      );
    }
    if (!(lengths instanceof Tensor)) {
      for (const length of lengths) {
        if (Number.isInteger(length) && length >= 1 && length <= time) continue;
        throw new ArgumentError(
          `${name}: a length must be an integer in 1 … ${time}, got ${length}.`,
          { op: name },
        );
      }
    }
    const times = arange(time, { dtype: "int32" });
    // Numbers in a tensor are not known yet: a length that is none is an index out of range when it is.
    const last = lengths instanceof Tensor ? times.indexSelect(0, given.sub(1)) : given.sub(1);
    return times.reshape([time, 1, 1]).le(last.reshape([1, batch, 1]));
  }

  override describe(): string {
    const { inputSize, hiddenSize, numLayers, bidirectional } = this;
    const more = numLayers > 1 ? `, numLayers=${numLayers}` : "";
    return `${inputSize}, ${hiddenSize}${more}${bidirectional ? ", bidirectional=true" : ""}`;
  }
}
