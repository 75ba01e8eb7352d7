// nanoGPT's recipe: AdamW that decays matrices only, warm-up and cosine, clipped gradients, accumulation, evaluation, checkpoints.
import { loadCheckpoint, saveCheckpoint } from "@gradloom/checkpoint";
import { GPT, type GPTOptions } from "@gradloom/gpt";
import { crossEntropyLoss } from "@gradloom/loss";
import { AdamW, clipGradNorm, WarmupCosineLR } from "@gradloom/optim";
import { manualSeed, noGrad, type Tensor } from "@gradloom/tensor";
import { checkLoss, InterruptedError, PlaygroundError } from "./errors.ts";
import { batchAt, everyPiece, startsOf, type TokenBatch, type TokenText } from "./gpt-text.ts";

/** How to train; what a checkpoint keeps, so that a training goes on as it began. */
export interface GPTRecipe {
  readonly steps: number;
  readonly warmupSteps: number;
  /** The largest learning rate; the last one is a tenth of it. */
  readonly lr: number;
  readonly weightDecay: number;
  /** Gradients are scaled down to this norm if theirs is larger. */
  readonly clip: number;
  /** Pieces of text in a batch, and batches in a step. */
  readonly batchSize: number;
  readonly accumulate: number;
  /** Steps from one evaluation, sample and checkpoint to the next. */
  readonly every: number;
  readonly seed: number;
  readonly model: GPTOptions;
}

/** How well the text that was held out is predicted, in nats a character. */
export interface Evaluation {
  readonly step: number;
  readonly loss: number;
}

/** What happens meanwhile. */
export interface TrainingEvents {
  readonly onStep: (step: number, loss: number) => void;
  readonly onEvaluation: (evaluation: Evaluation, model: GPT) => Promise<void>;
  /** Where checkpoints go; none are written without. */
  readonly checkpoint?: string;
  readonly signal: AbortSignal;
}

/** A training that can be left and taken up again. */
export class GPTTraining {
  readonly recipe: GPTRecipe;
  readonly text: TokenText;
  readonly model: GPT;
  readonly #optimizer: AdamW;
  readonly #schedule: WarmupCosineLR;
  #step = 0;
  #losses: number[] = [];
  #evaluations: Evaluation[] = [];

  constructor(text: TokenText, recipe: GPTRecipe) {
    manualSeed(recipe.seed);
    this.recipe = recipe;
    this.text = text;
    this.model = new GPT(recipe.model);
    const { lr, weightDecay, warmupSteps, steps } = recipe;
    const parameters = this.model.parameters();
    // Matrices and embeddings decay; biases and norms do not.
    const groups = [
      { params: parameters.filter(({ ndim }) => ndim >= 2), weightDecay },
      { params: parameters.filter(({ ndim }) => ndim < 2), weightDecay: 0 },
    ];
    this.#optimizer = new AdamW(
      groups.filter(({ params }) => params.length > 0),
      { lr, betas: [0.9, 0.99] },
    );
    this.#schedule = new WarmupCosineLR(this.#optimizer, warmupSteps, steps, { etaMin: lr / 10 });
  }

  /** How many steps have been made. */
  get step(): number {
    return this.#step;
  }

  /** The loss of each step. */
  get losses(): readonly number[] {
    return this.#losses;
  }

  get evaluations(): readonly Evaluation[] {
    return this.#evaluations;
  }

  /**
   * Goes on where the checkpoint was written.
   *
   * @throws PlaygroundError if it is of a training with another recipe or text.
   */
  async resume(path: string): Promise<void> {
    const { tokens, recipe } = await readTraining(path);
    for (const [what, here, there] of [
      ["recipe", JSON.stringify(this.recipe), JSON.stringify(recipe)],
      ["text", this.text.tokenizer.characters.join(""), tokens],
    ]) {
      if (here === there) continue;
      throw new PlaygroundError(
        `${path} is of a training with another ${what}: ${there} instead of ${here}.`,
      );
    }
    const { step, losses, evaluations } = await loadCheckpoint<Kept>(path, this.#states());
    this.#step = step;
    this.#losses = [...losses];
    this.#evaluations = [...evaluations];
  }

  /**
   * Trains to the last step, or up to `until`.
   *
   * @throws PlaygroundError if the loss is not a finite number. InterruptedError if `signal` is aborted; what was reached is in
   * the checkpoint then.
   */
  async run(events: TrainingEvents, until: number = this.recipe.steps): Promise<void> {
    const { every, steps } = this.recipe;
    while (this.#step < until) {
      const loss = await this.#update();
      this.#step += 1;
      this.#losses.push(loss);
      events.onStep(this.#step, loss);
      const isInterrupted = events.signal.aborted;
      if (this.#step % every === 0 || this.#step === steps) {
        const evaluation = { step: this.#step, loss: await evaluate(this.model, this.text, 200) };
        this.#evaluations.push(evaluation);
        await events.onEvaluation(evaluation, this.model);
        await this.#save(events.checkpoint);
      } else if (isInterrupted || this.#step === until) await this.#save(events.checkpoint);
      if (isInterrupted) throw new InterruptedError(`Stopped after step ${this.#step}.`);
    }
  }

  async #update(): Promise<number> {
    const { batchSize, accumulate, seed, clip, model } = this.recipe;
    const { training } = this.text;
    this.model.train();
    this.#optimizer.zeroGrad();
    const losses: Tensor[] = [];
    for (let i = 0; i < accumulate; i++) {
      const step = this.#step * accumulate + i;
      const draw = { count: batchSize, length: model.maxSeqLen, seed, step };
      const loss = lossOf(
        this.model,
        batchAt(training, await startsOf(training, draw), draw.length),
      );
      const share = loss.div(accumulate);
      share.backward();
      losses.push(share);
    }
    clipGradNorm(this.model.parameters(), clip);
    this.#optimizer.step();
    this.#schedule.step();
    let sum = 0;
    for (const loss of losses) sum += await loss.item();
    checkLoss(sum, this.#step + 1, this.recipe.lr);
    return sum;
  }

  async #save(path: string | undefined): Promise<void> {
    if (path === undefined) return;
    await saveCheckpoint(path, {
      ...this.#states(),
      step: this.#step,
      losses: this.#losses,
      evaluations: this.#evaluations.map(({ step, loss }) => ({ step, loss })),
      recipe: JSON.stringify(this.recipe),
      tokens: this.text.tokenizer.characters.join(""),
    });
  }

  #states() {
    return { model: this.model, optimizer: this.#optimizer, schedule: this.#schedule };
  }
}

interface Kept {
  readonly step: number;
  readonly losses: readonly number[];
  readonly evaluations: readonly Evaluation[];
  readonly recipe: string;
  readonly tokens: string;
}

/**
 * The recipe, the characters and the model of a checkpoint.
 *
 * @throws PlaygroundError if it is none of a GPT.
 */
export async function readTraining(path: string): Promise<{
  readonly recipe: GPTRecipe;
  readonly tokens: string;
  readonly step: number;
  readonly model: () => Promise<GPT>;
}> {
  const { recipe, tokens, step } = await loadCheckpoint<Kept>(path);
  if (typeof recipe !== "string" || typeof tokens !== "string") {
    throw new PlaygroundError(`${path} is not a checkpoint of train-gpt.`);
  }
  const parsed: GPTRecipe = JSON.parse(recipe);
  const load = async () => {
    const model = new GPT(parsed.model);
    await loadCheckpoint(path, { model });
    return model;
  };
  return { recipe: parsed, tokens, step, model: load };
}

/** The mean loss over at most `most` pieces of the text that was held out. */
export async function evaluate(model: GPT, { heldOut }: TokenText, most: number): Promise<number> {
  const length = model.maxSeqLen;
  const starts = everyPiece(heldOut, length, most);
  const size = Math.min(50, starts.length);
  model.eval();
  let sum = 0;
  let count = 0;
  for (let i = 0; i + size <= starts.length; i += size) {
    const batch = batchAt(heldOut, starts.slice(i, i + size), length);
    sum += await noGrad(() => lossOf(model, batch)).item();
    count += 1;
  }
  return sum / count;
}

function lossOf(model: GPT, { x, y }: TokenBatch): Tensor {
  return crossEntropyLoss(model.forward(x).reshape([-1, model.vocabSize]), y);
}
