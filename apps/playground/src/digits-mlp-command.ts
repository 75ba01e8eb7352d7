// The flags of train-digits-mlp.
import { join } from "node:path";
import type { Command } from "commander";
import { integer, positive } from "./option-values.ts";

/** What the command takes from its flags. */
export interface TrainDigitsMLPOptions {
  readonly epochs: number;
  readonly lr: number;
  readonly batchSize: number;
  readonly hidden: number;
  /** Pictures that are kept for the test. */
  readonly heldOut: number;
  readonly seed: number;
  readonly resume?: true;
  /** The folder of checkpoints, history, TensorBoard's file and the picture. */
  readonly out: string;
  readonly pictures: boolean;
}

const folder = join("playground-output", "train-digits-mlp");

/** The flags of the command. */
export function trainDigitsMLPCommand(program: Command): Command {
  return program
    .command("train-digits-mlp")
    .description(
      "train an MLP on handwritten digits with DataLoader and Trainer; it can be resumed",
    )
    .option("--epochs <n>", "passes over the training pictures", integer(1, 10_000), 5)
    .option("--lr <number>", "the largest learning rate", positive, 0.005)
    .option("--batch-size <n>", "pictures in a step", integer(1, 8000), 64)
    .option("--hidden <n>", "units of the hidden layer", integer(1, 8192), 256)
    .option("--held-out <n>", "pictures kept for the test", integer(1, 9000), 2000)
    .option("--seed <n>", "fixes everything random", integer(0, Number.MAX_SAFE_INTEGER), 0)
    .option("--resume", "go on from the checkpoint in the folder")
    .option("--out <folder>", "where everything is written", folder)
    .option("--no-pictures", "do not write the picture");
}
