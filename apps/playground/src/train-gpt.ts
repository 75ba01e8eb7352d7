// A GPT learns to write Moby Dick character by character; and writes on from its checkpoint.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CharTokenizer, type GPT } from "@gradloom/gpt";
import { PlaygroundError } from "./errors.ts";
import { attentionFigure, gptLossFigure } from "./gpt-figures.ts";
import { loadMobyDick, type TokenText } from "./gpt-text.ts";
import { evaluate, type GPTRecipe, GPTTraining, readTraining } from "./gpt-training.ts";
import { duration, whole } from "./numbers.ts";
import { toPng } from "./png.ts";
import { createProgress } from "./progress.ts";
import { writing } from "./writing.ts";

/** What `train-gpt` takes from its flags. */
export interface TrainGPTOptions {
  readonly steps: number;
  readonly lr: number;
  readonly batchSize: number;
  /** Batches in a step. */
  readonly accumulate: number;
  /** Characters that the model sees at once. */
  readonly blockSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly dModel: number;
  readonly dropout: number;
  /** Steps from one evaluation to the next. */
  readonly every: number;
  readonly prompt: string;
  readonly seed: number;
  /** Whether to go on from the checkpoint in `out`. */
  readonly resume?: true;
  readonly out: string;
  readonly pictures: boolean;
}

/** What `generate-gpt` takes from its flags. */
export interface GenerateGPTOptions {
  readonly checkpoint: string;
  readonly prompt: string;
  readonly tokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
}

/**
 * Trains, samples at intervals, tests, draws.
 *
 * @throws PlaygroundError if training diverges or a file cannot be written; InterruptedError if `signal` is aborted: `--resume` goes on.
 */
export async function trainGPT(
  options: TrainGPTOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { out, prompt, seed } = options;
  const write = (text = "") => stream.write(`${text}\n`);
  const text = await loadMobyDick();
  const { tokenizer } = text;
  const start = encoded(tokenizer, prompt);
  const recipe = recipeOf(options, tokenizer.vocabSize);
  const training = new GPTTraining(text, recipe);
  const checkpoint = join(out, "last.ckpt");
  await writing(() => mkdir(out, { recursive: true }));
  if (options.resume) await training.resume(checkpoint);
  write(introduction(training, text));

  const { steps } = recipe;
  const begin = { time: performance.now(), step: training.step };
  const progress = createProgress(stream, steps);
  const sample = async ({ step, loss }: { step: number; loss: number }, model: GPT) => {
    const ids = await model.generate(start, {
      maxNewTokens: 120,
      temperature: 0.8,
      seed,
      slidingWindow: Math.ceil(model.maxSeqLen / 2),
    });
    write(`\nstep ${whole(step)}, held-out loss ${loss.toFixed(4)}: the model writes`);
    write(`${indented(tokenizer.decode(ids))}\n`);
  };
  const run = training.run({
    onStep: (step, loss) => progress.update(step, loss),
    onEvaluation: sample,
    checkpoint,
    signal,
  });
  await run.finally(() => progress.stop());

  const seconds = (performance.now() - begin.time) / 1000;
  const loss = await evaluate(training.model, text, Number.POSITIVE_INFINITY);
  const made = steps - begin.step;
  write(`trained in     ${duration(seconds)}, ${(made / seconds).toFixed(1)} steps/s`);
  write(
    `held-out loss  ${loss.toFixed(4)} nats a character (${(loss / Math.LN2).toFixed(3)} bits) over all ${whole(text.heldOut.length)} of them`,
  );
  write(`\nwritten\n  ${checkpoint}`);
  if (!options.pictures) return;
  const { dModel, numLayers, numHeads, maxSeqLen } = recipe.model;
  const subtitle = `${numLayers} layers of ${numHeads} heads, ${dModel} features, ${maxSeqLen} characters · ${whole(steps)} steps of ${recipe.batchSize * recipe.accumulate} pieces · learning rate up to ${recipe.lr}`;
  const excerpt = "the whale, the white whale! said he.".slice(0, maxSeqLen);
  const figures: [name: string, svg: string][] = [
    ["loss", gptLossFigure(training, subtitle)],
    ["attention", await attentionFigure(training.model, tokenizer, excerpt)],
  ];
  for (const [name, svg] of figures) {
    const file = join(out, `${name}.png`);
    const png = await toPng(svg);
    await writing(() => writeFile(file, png));
    write(`  ${file}`);
  }
}

function recipeOf(options: TrainGPTOptions, vocabSize: number): GPTRecipe {
  const { steps, lr, batchSize, accumulate, every, seed } = options;
  const { blockSize, layers, heads, dModel, dropout } = options;
  if (dModel % heads !== 0) {
    throw new PlaygroundError(`--heads must divide --d-model, got ${heads} and ${dModel}.`);
  }
  return {
    steps,
    warmupSteps: Math.min(100, Math.floor(steps / 10)),
    lr,
    weightDecay: 0.1,
    clip: 1,
    batchSize,
    accumulate,
    every,
    seed,
    model: {
      vocabSize,
      maxSeqLen: blockSize,
      dModel,
      numHeads: heads,
      numLayers: layers,
      dropout,
      bias: false,
    },
  };
}

function introduction({ recipe, model, step }: GPTTraining, text: TokenText): string {
  const { numLayers, numHeads, dModel, maxSeqLen } = recipe.model;
  return [
    "A GPT learns to write Moby Dick, character by character",
    `  data      ${whole(text.training.length)} characters to learn from, the last ${whole(text.heldOut.length)} to test with, ${text.tokenizer.vocabSize} different ones`,
    `  model     ${numLayers} layers of ${numHeads} heads, ${dModel} features, ${maxSeqLen} characters at once, ${whole(model.numParameters)} parameters`,
    `  training  ${whole(recipe.steps)} steps of AdamW, ${recipe.accumulate} × ${recipe.batchSize} pieces a step, lr up to ${recipe.lr}, seed ${recipe.seed}`,
    ...(step > 0 ? [`  goes on   from step ${whole(step)}`] : []),
    "",
  ].join("\n");
}

/**
 * Writes on from a prompt, with the model of a checkpoint.
 *
 * @throws PlaygroundError if the file is none of `train-gpt`, or a character of the prompt was never learned.
 */
export async function generateGPT(
  options: GenerateGPTOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { checkpoint, prompt, tokens: maxNewTokens, temperature, topK, topP, seed } = options;
  const training = await readTraining(checkpoint);
  const tokenizer = new CharTokenizer(training.tokens);
  const ids = encoded(tokenizer, prompt);
  const model = await training.model();
  const slidingWindow = Math.ceil(model.maxSeqLen / 2);
  const start = performance.now();
  let count = 0;
  stream.write(prompt);
  const sampling = { maxNewTokens, temperature, topK, topP, seed, slidingWindow, signal };
  for await (const id of model.stream(ids, sampling)) {
    stream.write(tokenizer.decode([id]));
    count += 1;
  }
  const seconds = (performance.now() - start) / 1000;
  stream.write(`\n\n${whole(count)} characters, ${whole(count / seconds)} a second\n`);
}

function encoded(tokenizer: CharTokenizer, prompt: string): number[] {
  const unknown = [...prompt].find((character) => !tokenizer.characters.includes(character));
  if (unknown === undefined && prompt !== "") return tokenizer.encode(prompt);
  const got = prompt === "" ? "nothing" : JSON.stringify(unknown);
  throw new PlaygroundError(`--prompt must have characters of the book, got ${got}.`);
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}
