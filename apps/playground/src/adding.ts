// The adding problem: two numbers of a long sequence are marked; say their sum when it has ended.
import { Linear, Module } from "@gradloom/layers";
import { MSELoss } from "@gradloom/loss";
import { Adam, clipGradNorm } from "@gradloom/optim";
import { LSTM, RNN } from "@gradloom/rnn-lstm";
import {
  arange,
  cat,
  Generator,
  noGrad,
  ones,
  rand,
  randint,
  stack,
  type Tensor,
} from "@gradloom/tensor";
import { checkLoss, InterruptedError } from "./errors.ts";

/** The error of always saying 1, which is the best without memory: the variance of a sum of two numbers, 2 / 12. */
export const errorWithoutMemory: number = 1 / 6;

/**
 * Sequences of pairs: a number, uniform in [0, 1), and a mark, 1 at one place of the first half and at one of the second, else 0.
 *
 * - Paper: Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735, section 5.4
 * @returns x `[count, length, 2]`, y `[count, 1]`: the sum of the two marked numbers.
 */
export function drawSums(
  count: number,
  length: number,
  generator: Generator,
): { x: Tensor; y: Tensor } {
  const half = Math.floor(length / 2);
  const numbers = rand([count, length], { generator });
  const first = randint(0, half, [count, 1], { generator });
  const second = randint(half, length, [count, 1], { generator });
  const places = arange(length);
  const marks = places.eq(first).logicalOr(places.eq(second)).to("float32");
  return { x: stack([numbers, marks], 2), y: numbers.mul(marks).sum(1, { keepdim: true }) };
}

/** Reads a sequence, and says a number after its end: `y = head(h_T)`. */
export class SequenceReader extends Module {
  readonly rnn: RNN | LSTM;
  readonly head: Linear;

  constructor(cell: "rnn" | "lstm", hiddenSize: number) {
    super();
    const sizes = { inputSize: 2, hiddenSize };
    this.rnn = cell === "rnn" ? new RNN(sizes) : new LSTM(sizes);
    this.head = new Linear(hiddenSize, 1);
    if (this.rnn instanceof LSTM) openForgetGates(this.rnn);
  }

  forward(x: Tensor): Tensor {
    const [output] = this.rnn.forward(x); // [batch, time, hiddenSize]
    return this.head.forward(output.select(1, -1));
  }
}

/**
 * Starts with forget gates that keep most of the cells: their bias becomes 1, the rest stays as it is drawn.
 *
 * - Paper: Jozefowicz et al. 2015, https://proceedings.mlr.press/v37/jozefowicz15.html
 */
function openForgetGates(lstm: LSTM): void {
  const { hiddenSize } = lstm;
  const [, , biasIh] = lstm.parameters(); // [4 · hiddenSize], gates in the order i, f, g, o
  noGrad(() => {
    const [input, , ...others] = biasIh.split(hiddenSize);
    biasIh.assign(cat([input, ones([hiddenSize]), ...others]));
  });
}

/** How to train. */
export interface AddingOptions {
  readonly steps: number;
  readonly batchSize: number;
  readonly lr: number;
  /** Numbers in a sequence. */
  readonly length: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Called after each step, with its loss. */
  readonly onStep: (step: number, loss: number) => void;
}

/** The error on sequences that were not trained on. */
export interface TestPoint {
  readonly step: number;
  readonly error: number;
  /** Since the start. */
  readonly seconds: number;
}

/** Steps from one test to the next. */
const testEvery = 50;

/**
 * Trains with Adam on sequences that are drawn anew for each step, gradients clipped, and tests every {@link testEvery} steps on the
 * same 1,000 others.
 *
 * @throws PlaygroundError if a loss is not a finite number, InterruptedError if `signal` is aborted.
 */
export async function fitReader(
  reader: SequenceReader,
  options: AddingOptions,
): Promise<readonly TestPoint[]> {
  const { steps, batchSize, lr, length, seed, signal, onStep } = options;
  const generator = new Generator(seed);
  const criterion = new MSELoss();
  const held = drawSums(1000, length, new Generator(seed + 1));
  const test = () => noGrad(() => criterion.forward(reader.forward(held.x), held.y)).item();
  const start = performance.now();
  const points: TestPoint[] = [];
  const optimizer = new Adam(reader.parameters(), { lr });
  for (let step = 1; step <= steps; step++) {
    const { x, y } = drawSums(batchSize, length, generator);
    optimizer.zeroGrad();
    const loss = criterion.forward(reader.forward(x), y);
    loss.backward();
    clipGradNorm(reader.parameters(), 1);
    optimizer.step();
    const value = await loss.item();
    checkLoss(value, step, lr);
    onStep(step, value);
    if (signal.aborted) throw new InterruptedError(`Stopped after step ${step}.`);
    if (step % testEvery !== 0 && step !== steps) continue;
    points.push({ step, error: await test(), seconds: (performance.now() - start) / 1000 });
  }
  return points;
}
