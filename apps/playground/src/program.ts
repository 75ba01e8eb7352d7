// The command line: commands, flags, help. What a command does is passed in, so that it loads late.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import type { AddingProblemOptions } from "./adding-problem.ts";
import { type TrainDigitsMLPOptions, trainDigitsMLPCommand } from "./digits-mlp-command.ts";
import { generateGPTCommand, trainGPTCommand } from "./gpt-commands.ts";
import { finite, finiteList, integer, nonNegative, positive, sizes } from "./option-values.ts";
import type { ShowBackwardEffectOptions } from "./show-backward-effect.ts";
import type { TrainDatesOptions } from "./train-dates.ts";
import type { TrainDigitsOptions } from "./train-digits.ts";
import type { TrainDnnOptions } from "./train-dnn.ts";
import type { GenerateGPTOptions, TrainGPTOptions } from "./train-gpt.ts";
import type { TrainMoEOptions } from "./train-moe.ts";
import type { TrainSegmentationOptions } from "./train-segmentation.ts";
import type { TrainSoundOptions } from "./train-sound.ts";
import type { TrainTextOptions } from "./train-text.ts";
import type { TrainTranslationOptions } from "./train-translation.ts";
import { trainDatesCommand, trainTranslationCommand } from "./translation-commands.ts";

/** The flags that say how to compute, the same for every command. */
export interface EngineOptions {
  readonly backend?: "wasm" | "js";
  readonly threads?: number;
  readonly relaxedSimd?: true;
  readonly wideSimd?: true;
}

/** What each command does. */
export interface Actions {
  trainDnn(options: TrainDnnOptions & EngineOptions): Promise<void>;
  trainDigits(options: TrainDigitsOptions & EngineOptions): Promise<void>;
  trainDigitsMLP(options: TrainDigitsMLPOptions & EngineOptions): Promise<void>;
  trainSound(options: TrainSoundOptions & EngineOptions): Promise<void>;
  trainSegmentation(options: TrainSegmentationOptions & EngineOptions): Promise<void>;
  trainText(options: TrainTextOptions & EngineOptions): Promise<void>;
  trainDates(options: TrainDatesOptions & EngineOptions): Promise<void>;
  trainTranslation(options: TrainTranslationOptions & EngineOptions): Promise<void>;
  addingProblem(options: AddingProblemOptions & EngineOptions): Promise<void>;
  trainMoE(options: TrainMoEOptions & EngineOptions): Promise<void>;
  trainGPT(options: TrainGPTOptions & EngineOptions): Promise<void>;
  generateGPT(options: GenerateGPTOptions & EngineOptions): Promise<void>;
  showBackwardEffect(options: ShowBackwardEffectOptions & EngineOptions): Promise<void>;
}

/** The command line, to be run with `parseAsync`; throws a CommanderError instead of ending the process. */
export function createProgram(actions: Actions): Command {
  const program = new Command("npm start --")
    .description("The playground of Gradloom: deep learning for TypeScript, end to end.")
    .version(packageVersion(), "--version", "print the version")
    .helpOption("--help", "print this help, or that of a command")
    .helpCommand(false)
    .showHelpAfterError("Try --help.")
    .addHelpText("after", "\nWithout a command, train-dnn runs: npm start -- --steps 500 --seed 1")
    .exitOverride();

  const train = program
    .command("train-dnn", { isDefault: true })
    .description("train an MLP on noisy samples of y = 3x² + 5 and draw what it learned")
    .option("--steps <n>", "steps of the optimizer", integer(1, 10_000_000), 2000)
    .option("--lr <number>", "learning rate of the first step; falls to 0", positive, 0.02)
    .option("--batch-size <n>", "samples in a step", integer(1, 1_000_000), 256)
    .option("--samples <n>", "training samples", integer(1, 1_000_000), 1024)
    .option("--noise <number>", "standard deviation of the noise", nonNegative, 0.05)
    .addOption(
      new Option("--hidden <sizes>", "sizes of the hidden layers")
        .argParser(sizes)
        .default([64, 64], "64,64"),
    )
    .option("--seed <n>", "fixes everything random", integer(0, Number.MAX_SAFE_INTEGER), 0)
    .option("--out <folder>", "where pictures and model go", join("playground-output", "train-dnn"))
    .option("--no-plot", "do not draw in the terminal")
    .option("--no-pictures", "do not write pictures");
  withEngineOptions(train).action(async (options) => {
    refuseOperands(train);
    await actions.trainDnn(options);
  });

  const digits = program
    .command("train-digits")
    .description("train a convolutional network on handwritten digits and look inside it")
    .option("--epochs <n>", "passes over the training pictures", integer(1, 10_000), 12)
    .option("--lr <number>", "the largest learning rate", positive, 0.003)
    .option("--batch-size <n>", "pictures in a step", integer(1, 8000), 64)
    .option("--held-out <n>", "pictures kept for the test", integer(1, 9000), 2000)
    .addOption(
      new Option("--channels <counts>", "channels of the convolutions")
        .argParser(sizes)
        .default([32, 64], "32,64"),
    )
    .option("--seed <n>", "fixes everything random", integer(0, Number.MAX_SAFE_INTEGER), 0)
    .option("--out <folder>", "where pictures go", join("playground-output", "train-digits"))
    .option("--no-pictures", "do not write pictures");
  withEngineOptions(digits).action(async (options) => {
    refuseOperands(digits);
    await actions.trainDigits(options);
  });

  const digitsMLP = trainDigitsMLPCommand(program);
  withEngineOptions(digitsMLP).action(async (options) => {
    refuseOperands(digitsMLP);
    await actions.trainDigitsMLP(options);
  });

  const segmentation = program
    .command("train-segmentation")
    .description("train a U-Net to label each pixel, and two networks that cannot")
    .option("--steps <n>", "steps of the optimizer, for each network", integer(1, 1_000_000), 1400)
    .option("--lr <number>", "the largest learning rate", positive, 0.01)
    .option("--batch-size <n>", "pictures in a step", integer(1, 1000), 16)
    .option("--held-out <n>", "pictures for the test", integer(1, 10_000), 200)
    .option("--channels <n>", "channels of the first level", integer(1, 256), 16)
    .option("--depth <n>", "how often pictures are halved", integer(1, 5), 3)
    .option("--noise <number>", "standard deviation of the noise", nonNegative, 0.08)
    .option("--no-ablation", "do not train the U-Net again without its skip connections")
    .option("--seed <n>", "fixes everything random", integer(0, Number.MAX_SAFE_INTEGER), 0)
    .option(
      "--out <folder>",
      "where the picture goes",
      join("playground-output", "train-segmentation"),
    )
    .option("--no-pictures", "do not write the picture");
  withEngineOptions(segmentation).action(async (options) => {
    refuseOperands(segmentation);
    await actions.trainSegmentation(options);
  });

  const text = program
    .command("train-text")
    .description("train an RNN, a GRU and an LSTM to predict the next character of Moby Dick")
    .option("--steps <n>", "steps of the optimizer, for each network", integer(1, 1_000_000), 1000)
    .option("--lr <number>", "the largest learning rate", positive, 0.02)
    .option("--batch-size <n>", "strips of the text, read side by side", integer(1, 1000), 32)
    .option("--length <n>", "characters that gradients reach back", integer(1, 10_000), 64)
    .option("--hidden <n>", "hidden features", integer(1, 4096), 128)
    .option("--held-out <n>", "characters for the test", integer(100, 500_000), 60_000)
    .addOption(numbersOption("--temperatures <numbers>", "of the samples", [0.3, 0.7, 1]))
    .option("--prompt <text>", "what samples begin with", "The whale ")
    .option("--seed <n>", "fixes everything random", integer(0, Number.MAX_SAFE_INTEGER), 0)
    .option("--out <folder>", "where pictures go", join("playground-output", "train-text"))
    .option("--no-pictures", "do not write pictures");
  withEngineOptions(text).action(async (options) => {
    refuseOperands(text);
    await actions.trainText(options);
  });

  const translation = trainTranslationCommand(program);
  withEngineOptions(translation).action(async (options) => {
    refuseOperands(translation);
    await actions.trainTranslation(options);
  });

  const dates = trainDatesCommand(program);
  withEngineOptions(dates).action(async (options) => {
    refuseOperands(dates);
    await actions.trainDates(options);
  });

  const adding = program
    .command("adding-problem")
    .description("train an LSTM and an RNN to remember two numbers across a long sequence")
    .option("--length <n>", "numbers in a sequence", integer(2, 100_000), 100)
    .option("--steps <n>", "steps of the optimizer, for each network", integer(1, 1_000_000), 2000)
    .option("--lr <number>", "the learning rate", positive, 0.01)
    .option("--batch-size <n>", "sequences in a step", integer(1, 100_000), 32)
    .option("--hidden <n>", "hidden features", integer(1, 4096), 32)
    .option("--seed <n>", "fixes everything random", integer(0, Number.MAX_SAFE_INTEGER), 0)
    .option("--out <folder>", "where the picture goes", join("playground-output", "adding-problem"))
    .option("--no-plot", "do not draw in the terminal")
    .option("--no-pictures", "do not write the picture");
  withEngineOptions(adding).action(async (options) => {
    refuseOperands(adding);
    await actions.addingProblem(options);
  });

  const mixture = program
    .command("train-moe")
    .description("train a mixture of experts on a mixture of tasks, balanced and not")
    .option("--tasks <n>", "linear maps to learn", integer(1, 1000), 4)
    .option("--experts <n>", "how many there are", integer(1, 1000), 8)
    .option("--hidden <n>", "hidden features of an expert", integer(1, 4096), 16)
    .option("--steps <n>", "steps of the optimizer, for each network", integer(1, 1_000_000), 1000)
    .option("--lr <number>", "the learning rate", positive, 0.01)
    .option("--batch-size <n>", "examples in a step", integer(1, 100_000), 256)
    .option("--seed <n>", "fixes everything random", integer(0, Number.MAX_SAFE_INTEGER), 0)
    .option("--out <folder>", "where the picture goes", join("playground-output", "train-moe"))
    .option("--no-pictures", "do not write the picture");
  withEngineOptions(mixture).action(async (options) => {
    refuseOperands(mixture);
    await actions.trainMoE(options);
  });

  const gpt = trainGPTCommand(program);
  withEngineOptions(gpt).action(async (options) => {
    refuseOperands(gpt);
    await actions.trainGPT(options);
  });

  const written = generateGPTCommand(program);
  withEngineOptions(written).action(async (options) => {
    refuseOperands(written);
    await actions.generateGPT(options);
  });

  const sound = program
    .command("train-sound")
    .description("train a convolutional network to tell sounds apart by their mel spectrograms")
    .option("--epochs <n>", "passes over the training sounds", integer(1, 10_000), 10)
    .option("--lr <number>", "the largest learning rate", positive, 0.003)
    .option("--batch-size <n>", "sounds in a step", integer(1, 1000), 32)
    .option("--per-kind <n>", "sounds of each kind to learn from", integer(1, 100_000), 300)
    .option("--held-out <n>", "sounds of each kind for the test", integer(1, 100_000), 100)
    .option("--seed <n>", "fixes everything random", integer(0, 2 ** 31), 0)
    .option(
      "--out <folder>",
      "where pictures and sounds go",
      join("playground-output", "train-sound"),
    )
    .option("--no-pictures", "write neither pictures nor sounds");
  withEngineOptions(sound).action(async (options) => {
    refuseOperands(sound);
    await actions.trainSound(options);
  });

  const backward = program
    .command("show-backward-effect")
    .description("show every value and gradient of MSE(w·x + b, y), and the same by hand")
    .option("--w <number>", "the weight", finite, 0.5)
    .option("--b <number>", "the bias", finite, 1)
    .addOption(numbersOption("--x <numbers>", "the inputs", [1, 2, 3, 4]))
    .addOption(numbersOption("--y <numbers>", "the targets", [2, 1, 4, 4]))
    .option("--lr <number>", "length of the step that is shown last", positive, 0.1);
  withEngineOptions(backward).action(async (options) => {
    refuseOperands(backward);
    await actions.showBackwardEffect(options);
  });
  return program;
}

function withEngineOptions(command: Command): Command {
  return command
    .allowExcessArguments()
    .addOption(new Option("--backend <name>", "what computes").choices(["wasm", "js"]))
    .option("--threads <n>", "threads of the wasm backend", integer(1, 64))
    .option("--relaxed-simd", "on Node 20, let V8 use fused multiply-add; later versions always do")
    .option("--wide-simd", "on Node 24 and later, let V8 use vectors of 256 bits");
}

function numbersOption(flags: string, description: string, value: number[]): Option {
  return new Option(flags, description).argParser(finiteList).default(value, value.join(","));
}

/** Words that are no flags: the default command would get an unknown command's name as one. */
function refuseOperands(command: Command): void {
  const [word] = command.args;
  if (word === undefined) return;
  const names = command.parent?.commands.map((other) => other.name()).join(", ");
  command.error(`error: unknown command or argument '${word}'. Commands: ${names}.`);
}

function packageVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
