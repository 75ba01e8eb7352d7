// The flags of the commands that train a transformer to write one sequence for another.
import { join } from "node:path";
import type { Command } from "commander";
import { integer, positive } from "./option-values.ts";

/** `train-translation` and its flags. */
export function trainTranslationCommand(program: Command): Command {
  return sequenceOptions(
    program
      .command("train-translation")
      .description(
        "train a transformer to translate Chinese into English and show what it looks at",
      )
      .option("--steps <n>", "steps of the optimizer", integer(10, 1_000_000), 1000)
      .option("--sentences <n>", "sentences to learn from", integer(64, 15_000), 6000)
      .option("--held-out <n>", "sentences for the test", integer(1, 1500), 500),
  )
    .option("--no-positions", "do not tell the model where a word stands")
    .option(
      "--out <folder>",
      "where the picture goes",
      join("playground-output", "train-translation"),
    )
    .option("--no-pictures", "do not write the picture");
}

/** `train-dates` and its flags. */
export function trainDatesCommand(program: Command): Command {
  return sequenceOptions(
    program
      .command("train-dates")
      .description("train a transformer to rewrite dates, character by character")
      .option("--steps <n>", "steps of the optimizer", integer(10, 1_000_000), 2000)
      .option("--dates <n>", "dates to learn from", integer(64, 100_000), 8000)
      .option("--held-out <n>", "dates for the test", integer(1, 10_000), 1000),
  );
}

function sequenceOptions(command: Command): Command {
  return command
    .option("--lr <number>", "the largest learning rate", positive, 0.002)
    .option("--batch-size <n>", "sequences in a step", integer(1, 1000), 64)
    .option("--d-model <n>", "features of a token, a multiple of 4", integer(4, 2048), 128)
    .option("--seed <n>", "fixes everything random", integer(0, 2 ** 31), 0);
}
