// A mixture of tasks: each example says which of several linear maps it wants.
import type { Layer } from "@gradloom/layers";
import { loadStatistics, type MoE } from "@gradloom/moe";
import { Adam } from "@gradloom/optim";
import {
  arange,
  cat,
  Generator,
  noGrad,
  randint,
  randn,
  realize,
  type Tensor,
} from "@gradloom/tensor";
import { checkLoss, InterruptedError } from "./errors.ts";

/** Inputs with the mark of their task behind them, and what they become: `[batch, features + tasks]`, `[batch, features]`. */
export interface Examples {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** Random linear maps, one for each task. */
export class Tasks {
  readonly count: number;
  readonly features: number;
  readonly #maps: Tensor;

  constructor(count: number, features: number, generator: Generator) {
    this.count = count;
    this.features = features;
    this.#maps = randn([count, features, features], { generator }).div(Math.sqrt(features));
    realize(this.#maps);
  }

  /** Examples of all tasks in equal parts, on average. */
  draw(count: number, generator: Generator): Examples {
    const task = randint(0, this.count, [count], { generator });
    const mark = task.unsqueeze(1).eq(arange(this.count)).to("float32"); // [count, tasks]
    const v = randn([count, this.features], { generator });
    const y = v.unsqueeze(1).matmul(this.#maps.indexSelect(0, task)).squeeze(1);
    return { x: cat([v, mark.mul(2)], 1), y };
  }
}

/** How a training is run. */
export interface FitOptions {
  readonly steps: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onStep: (step: number, loss: number) => void;
}

/** What was seen at one moment of the training. */
export interface Moment {
  readonly step: number;
  /** The mean squared error on other examples. */
  readonly error: number;
  /** For a mixture: the part of those examples that each expert got. */
  readonly fractions: readonly number[];
}

/**
 * Trains a model on the mixture of tasks; the loss of a mixture of experts has its auxiliary losses in it.
 *
 * @returns What was seen every fiftieth part of the training.
 * @throws PlaygroundError if training diverges. InterruptedError if `signal` is aborted.
 */
export async function fitTasks(
  model: Layer,
  mixture: MoE | undefined,
  tasks: Tasks,
  options: FitOptions,
): Promise<Moment[]> {
  const { steps, batchSize, lr, seed, signal, onStep } = options;
  const generator = new Generator(seed + 1);
  const held = tasks.draw(2000, new Generator(seed + 2));
  realize(held.x, held.y);
  const errorOf = ({ x, y }: Examples) => model.forward(x).sub(y).square().mean();
  const look = async (step: number): Promise<Moment> => {
    model.eval();
    const error = await noGrad(() => errorOf(held)).item();
    const load = await mixture?.lastRouting?.load.data();
    model.train();
    return { step, error, fractions: load === undefined ? [] : loadStatistics(load).fractions };
  };
  const optimizer = new Adam(model.parameters(), { lr });
  const every = Math.max(1, Math.round(steps / 50));
  const moments = [await look(0)];
  for (let step = 1; step <= steps; step++) {
    const error = errorOf(tasks.draw(batchSize, generator));
    const loss = mixture === undefined ? error : error.add(mixture.auxLoss);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    const value = await loss.item();
    checkLoss(value, step, lr);
    onStep(step, value);
    if (signal.aborted) throw new InterruptedError(`Stopped after step ${step}.`);
    if (step % every === 0 || step === steps) moments.push(await look(step));
  }
  return moments;
}
