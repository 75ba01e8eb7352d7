// The flags of the commands about GPTs.
import { join } from "node:path";
import type { Command } from "commander";
import { integer, nonNegative, positive } from "./option-values.ts";

const folder = join("playground-output", "train-gpt");
const anySeed = integer(0, Number.MAX_SAFE_INTEGER);

/** `train-gpt`. */
export function trainGPTCommand(program: Command): Command {
  return program
    .command("train-gpt")
    .description("train a GPT to write Moby Dick, character by character")
    .option("--steps <n>", "steps of the optimizer", integer(1, 10_000_000), 2000)
    .option("--lr <number>", "the largest learning rate", positive, 0.002)
    .option("--batch-size <n>", "pieces of text in a batch", integer(1, 10_000), 12)
    .option("--accumulate <n>", "batches in a step", integer(1, 1000), 1)
    .option("--block-size <n>", "characters that the model sees at once", integer(2, 4096), 64)
    .option("--layers <n>", "blocks of attention and feed-forward", integer(1, 100), 4)
    .option("--heads <n>", "heads of each attention", integer(1, 100), 4)
    .option("--d-model <n>", "features of a character", integer(1, 8192), 128)
    .option("--dropout <number>", "probability with which features are dropped", nonNegative, 0)
    .option("--every <n>", "steps between tests, samples and checkpoints", integer(1, 1e7), 250)
    .option("--prompt <text>", "what samples begin with", "The whale ")
    .option("--seed <n>", "fixes everything random", anySeed, 0)
    .option("--resume", "go on from the checkpoint in the folder")
    .option("--out <folder>", "where checkpoint and pictures go", folder)
    .option("--no-pictures", "do not write pictures");
}

/** `generate-gpt`. */
export function generateGPTCommand(program: Command): Command {
  return program
    .command("generate-gpt")
    .description("let the GPT that train-gpt has saved write on from a prompt")
    .option("--checkpoint <file>", "what train-gpt has written", join(folder, "last.ckpt"))
    .option("--prompt <text>", "what the text begins with", "The whale ")
    .option("--tokens <n>", "how many characters to write", integer(1, 1_000_000), 500)
    .option("--temperature <number>", "above 1 bolder, below 1 more careful", nonNegative, 0.8)
    .option("--top-k <n>", "draw from the so many likeliest", integer(1, 1_000_000))
    .option("--top-p <number>", "draw from the likeliest of this probability together", positive)
    .option("--seed <n>", "makes the text repeatable", anySeed);
}
