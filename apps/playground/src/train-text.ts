// Three recurrent networks learn to predict the next character of Moby Dick.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RecurrentLM } from "@gradloom/rnn-lstm";
import { manualSeed } from "@gradloom/tensor";
import { knownCells, traceCells } from "./cells.ts";
import { PlaygroundError } from "./errors.ts";
import { fitLanguage } from "./language.ts";
import { duration, whole } from "./numbers.ts";
import { toPng } from "./png.ts";
import { createProgress } from "./progress.ts";
import { bitsFromPairs, type Corpus, loadText } from "./text.ts";
import { bitsFigure, cellsFigure, excerptWithQuotes, type LanguageCurve } from "./text-figures.ts";
import { writing } from "./writing.ts";

/** What the command takes from its flags. */
export interface TrainTextOptions {
  readonly steps: number;
  readonly lr: number;
  /** Strips of the text that are read side by side. */
  readonly batchSize: number;
  /** Characters that gradients reach back. */
  readonly length: number;
  readonly hidden: number;
  /** Characters for the test. */
  readonly heldOut: number;
  readonly temperatures: readonly number[];
  /** What samples begin with. */
  readonly prompt: string;
  readonly seed: number;
  /** The folder that receives the pictures. */
  readonly out: string;
  readonly pictures: boolean;
}

const cells = [
  ["RNN", "rnn"],
  ["GRU", "gru"],
  ["LSTM", "lstm"],
] as const;

/** A trained network. */
interface Contestant extends LanguageCurve {
  readonly model: RecurrentLM;
}

/**
 * Trains the three networks, compares them, lets them write, draws.
 *
 * @throws PlaygroundError if options do not fit the text, training diverges or a file cannot be written; InterruptedError if `signal`
 * is aborted.
 */
export async function trainText(
  options: TrainTextOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { steps, lr, batchSize, length, hidden, heldOut, temperatures, seed, out } = options;
  const corpus = await loadText(heldOut);
  checkOptions(options, corpus);
  const { alphabet } = corpus;
  const prompt = [...alphabet.encode(options.prompt)];
  await writing(() => mkdir(out, { recursive: true }));
  const write = (text = "") => stream.write(`${text}\n`);

  const pairs = bitsFromPairs(corpus.training, corpus.heldOut, alphabet.characters.length);
  write("Recurrent networks predict the next character of Moby Dick");
  write(
    `  data      ${whole(corpus.training.length)} characters to learn from, the last ${whole(heldOut)} to test with, ${alphabet.characters.length} different ones`,
  );
  write(
    `  training  ${whole(steps)} steps of Adam, ${batchSize} strips of the text, gradients through ${length} characters, lr up to ${lr}, seed ${seed}`,
  );
  write(`  baseline  ${pairs.toFixed(2)} bits a character, from the last character alone`);

  const contestants: Contestant[] = [];
  for (const [name, cell] of cells) {
    manualSeed(seed);
    const vocabSize = alphabet.characters.length;
    const model = new RecurrentLM({ vocabSize, embeddingDim: 64, hiddenSize: hidden, cell });
    write(`\n${name}: ${hidden} hidden features, ${whole(model.numParameters)} parameters`);
    const progress = createProgress(stream, steps);
    const onStep = (step: number, loss: number) => progress.update(step, loss);
    const fitting = fitLanguage(model, corpus, { steps, batchSize, length, lr, signal, onStep });
    const points = await fitting.finally(() => progress.stop());
    contestants.push({ name, model, points });
  }
  write(`\nbits for each character of the text behind\n${table(contestants)}`);

  for (const { name, model } of contestants) {
    for (const temperature of name === "LSTM" ? temperatures : temperatures.slice(-1)) {
      const ids = await model.generate(prompt, { maxNewTokens: 200, temperature, seed, signal });
      write(`\n${name} at temperature ${temperature}\n${indented(alphabet.decode(ids))}`);
    }
  }
  if (!options.pictures) return;

  const subtitle = `${hidden} hidden features · ${whole(steps)} steps of ${batchSize} × ${length} characters · learning rate up to ${lr}`;
  const lstm = contestants[contestants.length - 1].model;
  const figures: [name: string, svg: string][] = [
    ["bits", bitsFigure(contestants, pairs, subtitle)],
    ["cells", await picturedCells(lstm, corpus)],
  ];
  write("\nwritten");
  for (const [name, svg] of figures) {
    const file = join(out, `${name}.png`);
    const png = await toPng(svg);
    await writing(() => writeFile(file, png));
    write(`  ${file}`);
  }
}

/** What the LSTM's cells hold along a part of the text behind. */
async function picturedCells(model: RecurrentLM, { alphabet, heldOut }: Corpus): Promise<string> {
  const ids = heldOut.subarray(0, 4000);
  const text = [...alphabet.decode(ids)];
  const trace = await traceCells(model, ids);
  return cellsFigure(trace, knownCells(trace, text), text, excerptWithQuotes(text, 120), 24);
}

function table(contestants: readonly Contestant[]): string {
  const row = (...[name, ...others]: string[]) =>
    `  ${name.padEnd(6)}${others.map((cell) => cell.padStart(12)).join("")}`;
  const [{ points: tested }] = contestants;
  const shown = [1, 2, 4, 8, 16].map((part) => Math.ceil((tested.length * part) / 16) - 1);
  return [
    row("step", ...shown.map((i) => whole(tested[i].step)), "trained in", "steps/s"),
    ...contestants.map(({ name, points }) => {
      const { step, seconds } = points[points.length - 1];
      const bits = shown.map((i) => points[i].bits.toFixed(3));
      return row(name, ...bits, duration(seconds), (step / seconds).toFixed(1));
    }),
  ].join("\n");
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}

function checkOptions({ batchSize, length, temperatures }: TrainTextOptions, corpus: Corpus): void {
  if (!temperatures.every((temperature) => temperature >= 0)) {
    throw new PlaygroundError(
      `--temperatures must be 0 or greater, got ${temperatures.join(", ")}.`,
    );
  }
  for (const [name, strips, ids] of [
    ["training", batchSize, corpus.training],
    ["test", 16, corpus.heldOut],
  ] as const) {
    if (strips * (length + 1) < ids.length) continue;
    throw new PlaygroundError(
      `The ${name} text must be longer than ${strips} strips of --length, got ${whole(ids.length)} characters for ${strips} × ${length}.`,
    );
  }
}
