import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { createProgram } from "../src/program.ts";

/** What the command line calls, and with which options; or what it prints as an error. */
async function parse(line: string) {
  const calls: [name: string, options: unknown][] = [];
  let printed = "";
  const program = createProgram({
    trainDnn: async (options) => void calls.push(["train-dnn", options]),
    trainDigits: async (options) => void calls.push(["train-digits", options]),
    trainSound: async (options) => void calls.push(["train-sound", options]),
    trainSegmentation: async (options) => void calls.push(["train-segmentation", options]),
    trainText: async (options) => void calls.push(["train-text", options]),
    trainTranslation: async (options) => void calls.push(["train-translation", options]),
    trainDates: async (options) => void calls.push(["train-dates", options]),
    addingProblem: async (options) => void calls.push(["adding-problem", options]),
    trainDigitsMLP: async (options) => void calls.push(["train-digits-mlp", options]),
    trainMoE: async (options) => void calls.push(["train-moe", options]),
    trainGPT: async (options) => void calls.push(["train-gpt", options]),
    generateGPT: async (options) => void calls.push(["generate-gpt", options]),
    showBackwardEffect: async (options) => void calls.push(["show-backward-effect", options]),
  });
  const write = (text: string) => {
    printed += text;
  };
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeErr: write, writeOut: write });
  }
  const error: unknown = await program
    .parseAsync(line.split(" ").filter(Boolean), { from: "user" })
    .then(() => undefined)
    .catch((reason: unknown) => reason);
  if (error !== undefined && !(error instanceof CommanderError)) throw error;
  return { calls, printed, code: error?.exitCode };
}

const defaults = {
  steps: 2000,
  lr: 0.02,
  batchSize: 256,
  samples: 1024,
  noise: 0.05,
  hidden: [64, 64],
  seed: 0,
  out: expect.stringContaining("train-dnn"),
  plot: true,
  pictures: true,
};

describe("train-dnn", () => {
  test("is what runs without a command", async () => {
    expect((await parse("")).calls).toEqual([["train-dnn", defaults]]);
    expect((await parse("train-dnn")).calls).toEqual([["train-dnn", defaults]]);
  });

  test("takes its flags, with or without the command's name", async () => {
    const flags =
      "--steps 500 --lr 1e-3 --batch-size=32 --samples 64 --noise 0 --hidden 8,16,4 --seed 7 " +
      "--out here --no-plot --no-pictures --backend js --threads 2 --relaxed-simd --wide-simd";
    const options = {
      steps: 500,
      lr: 0.001,
      batchSize: 32,
      samples: 64,
      noise: 0,
      hidden: [8, 16, 4],
      seed: 7,
      out: "here",
      plot: false,
      pictures: false,
      backend: "js",
      threads: 2,
      relaxedSimd: true,
      wideSimd: true,
    };
    expect((await parse(flags)).calls).toEqual([["train-dnn", options]]);
    expect((await parse(`train-dnn ${flags}`)).calls).toEqual([["train-dnn", options]]);
  });
});

describe("show-backward-effect", () => {
  test("takes numbers, negative ones too", async () => {
    const { calls } = await parse(
      "show-backward-effect --w -1.5 --b -2 --x -1,2 --y 3,-4e1 --lr 1",
    );
    const options = { w: -1.5, b: -2, x: [-1, 2], y: [3, -40], lr: 1 };
    expect(calls).toEqual([["show-backward-effect", options]]);
  });
});

describe("a mistake", () => {
  test.each([
    ["--lr NaN", "argument 'NaN' is invalid. It must be a number greater than 0."],
    ["--lr abc", "argument 'abc' is invalid. It must be a number greater than 0."],
    ["--lr -1", "argument '-1' is invalid. It must be a number greater than 0."],
    ["--lr 0", "argument '0' is invalid. It must be a number greater than 0."],
    ["--lr Infinity", "argument 'Infinity' is invalid. It must be a number greater than 0."],
    ["--lr 1e999", "argument '1e999' is invalid. It must be a number greater than 0."],
    ["--lr=", "It must be a number greater than 0."],
    ["--lr 0x10", "It must be a number greater than 0."],
    ["--lr", "option '--lr <number>' argument missing"],
    ["--steps 0", "It must be a whole number from 1 to 10,000,000."],
    ["--steps 1.5", "It must be a whole number from 1 to 10,000,000."],
    ["--seed -1", "It must be a whole number from 0 to 9,007,199,254,740,991."],
    ["--batch-size NaN", "It must be a whole number from 1 to 1,000,000."],
    ["--noise -0.1", "It must be 0 or a number greater than 0."],
    ["--hidden 64,,64", "It must be whole numbers from 1 to 8,192 with commas between"],
    ["--hidden 0", "It must be whole numbers from 1 to 8,192 with commas between"],
    ["--threads 0", "It must be a whole number from 1 to 64."],
    ["--backend gpu", "Allowed choices are wasm, js."],
    ["--step 5", "unknown option '--step'\n(Did you mean --steps?)"],
    ["trian-dnn", "unknown command or argument 'trian-dnn'. Commands: train-dnn, train-digits,"],
    ["show-backward-effect 3", "unknown command or argument '3'"],
    ["show-backward-effect --x 1,two", "It must be finite numbers with commas between"],
    ["show-backward-effect --w NaN", "It must be a finite number."],
  ])("%s", async (line, message) => {
    const { calls, printed, code } = await parse(line);
    expect(calls).toEqual([]);
    expect(code).toBe(1);
    expect(printed).toContain(message);
    expect(printed).toContain("Try --help.");
  });
});

test("--help and --version print and do nothing else", async () => {
  const help = await parse("--help");
  expect(help).toMatchObject({ calls: [], code: 0 });
  expect(help.printed).toContain("show-backward-effect");
  expect((await parse("train-dnn --help")).printed).toContain("--batch-size <n>");
  expect((await parse("--version")).printed).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe("train-digits", () => {
  test("takes its flags", async () => {
    const { calls } = await parse(
      "train-digits --epochs 3 --channels 8 --held-out 500 --no-pictures",
    );
    expect(calls).toEqual([
      [
        "train-digits",
        {
          epochs: 3,
          lr: 0.003,
          batchSize: 64,
          heldOut: 500,
          channels: [8],
          seed: 0,
          out: expect.stringContaining("train-digits"),
          pictures: false,
        },
      ],
    ]);
    expect((await parse("train-digits --held-out 10000")).printed).toContain("--held-out");
  });
});

describe("train-sound", () => {
  test("has a value for each flag", async () => {
    const { calls } = await parse("train-sound --epochs 3 --per-kind 20 --no-pictures");
    expect(calls).toEqual([
      [
        "train-sound",
        {
          epochs: 3,
          lr: 0.003,
          batchSize: 32,
          perKind: 20,
          heldOut: 100,
          seed: 0,
          out: expect.stringContaining("train-sound"),
          pictures: false,
        },
      ],
    ]);
  });
});

describe("train-segmentation", () => {
  test("takes its flags", async () => {
    const { calls } = await parse("train-segmentation --steps 3 --channels 8 --no-ablation");
    expect(calls).toEqual([
      [
        "train-segmentation",
        {
          steps: 3,
          lr: 0.01,
          batchSize: 16,
          heldOut: 200,
          channels: 8,
          depth: 3,
          noise: 0.08,
          ablation: false,
          seed: 0,
          out: expect.stringContaining("train-segmentation"),
          pictures: true,
        },
      ],
    ]);
  });
});

describe("train-text", () => {
  test("takes its flags", async () => {
    const { calls } = await parse("train-text --hidden 64 --temperatures 0,1.5 --prompt Ahab");
    expect(calls).toEqual([
      [
        "train-text",
        {
          steps: 1000,
          lr: 0.02,
          batchSize: 32,
          length: 64,
          hidden: 64,
          heldOut: 60_000,
          temperatures: [0, 1.5],
          prompt: "Ahab",
          seed: 0,
          out: expect.stringContaining("train-text"),
          pictures: true,
        },
      ],
    ]);
  });
});

describe("adding-problem", () => {
  test("takes its flags", async () => {
    const { calls } = await parse("adding-problem --length 50 --no-plot");
    expect(calls).toEqual([
      [
        "adding-problem",
        {
          length: 50,
          steps: 2000,
          lr: 0.01,
          batchSize: 32,
          hidden: 32,
          seed: 0,
          out: expect.stringContaining("adding-problem"),
          plot: false,
          pictures: true,
        },
      ],
    ]);
  });
});
