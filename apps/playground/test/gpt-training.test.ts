import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CharTokenizer } from "@gradloom/gpt";
import { afterAll, describe, expect, test } from "vitest";
import { InterruptedError, PlaygroundError } from "../src/errors.ts";
import { everyPiece, tokenText } from "../src/gpt-text.ts";
import { type GPTRecipe, GPTTraining, readTraining } from "../src/gpt-training.ts";

const folder = mkdtempSync(join(tmpdir(), "gradloom-gpt-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = tokenText("the quick brown fox jumps over the lazy dog. ".repeat(40));
const recipe: GPTRecipe = {
  steps: 6,
  warmupSteps: 2,
  lr: 0.01,
  weightDecay: 0.1,
  clip: 1,
  batchSize: 4,
  accumulate: 2,
  every: 3,
  seed: 5,
  model: {
    vocabSize: text.tokenizer.vocabSize,
    maxSeqLen: 16,
    dModel: 16,
    numHeads: 2,
    numLayers: 1,
    dropout: 0.1,
  },
};

/** Events that note nothing, and a checkpoint of this name. */
function events(name: string, signal: AbortSignal = new AbortController().signal) {
  return {
    onStep: () => {},
    onEvaluation: async () => {},
    checkpoint: join(folder, name),
    signal,
  };
}

async function weights({ model }: GPTTraining) {
  const values = await Promise.all(model.parameters().map((parameter) => parameter.data()));
  return values.map((value) => Array.from(value));
}

describe("a training", () => {
  test("that was left in the middle goes on to the bit, dropout included", async () => {
    const whole = new GPTTraining(text, recipe);
    await whole.run(events("whole.ckpt"));
    const first = new GPTTraining(text, recipe);
    await first.run(events("part.ckpt"), 4);
    const second = new GPTTraining(text, recipe);
    await second.resume(join(folder, "part.ckpt"));
    expect(second.step).toBe(4);
    await second.run(events("part.ckpt"));
    expect(second.losses).toEqual(whole.losses);
    expect(second.evaluations).toEqual(whole.evaluations);
    expect(await weights(second)).toEqual(await weights(whole));
  });

  test("that is interrupted keeps what it has", async () => {
    const controller = new AbortController();
    const training = new GPTTraining(text, recipe);
    const run = training.run({
      ...events("interrupted.ckpt", controller.signal),
      onStep: (step) => {
        if (step === 2) controller.abort();
      },
    });
    await expect(run).rejects.toThrow(InterruptedError);
    const kept = await readTraining(join(folder, "interrupted.ckpt"));
    expect(kept.step).toBe(2);
    expect(new CharTokenizer(kept.tokens).characters).toEqual(text.tokenizer.characters);
    const model = await kept.model();
    expect(await model.wte.weight.data()).toEqual(await training.model.wte.weight.data());
  });

  test("does not go on with another recipe", async () => {
    const training = new GPTTraining(text, { ...recipe, lr: 0.02 });
    await new GPTTraining(text, recipe).run(events("other.ckpt"), 1);
    await expect(training.resume(join(folder, "other.ckpt"))).rejects.toThrow(PlaygroundError);
  });

  test("in two batches a step is one of twice the size", async () => {
    const still = { ...recipe, model: { ...recipe.model, dropout: 0 } };
    const training = new GPTTraining(text, still);
    await training.run(events("two.ckpt"), 1);
    expect(training.losses[0]).toBeCloseTo(Math.log(text.tokenizer.vocabSize), 1);
  });
});

test("pieces of a text follow each other", () => {
  const ids = Int32Array.from({ length: 101 }, (_, i) => i);
  expect(everyPiece(ids, 10, 100)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  expect(everyPiece(ids, 10, 4)).toEqual([0, 20, 50, 70]);
});
