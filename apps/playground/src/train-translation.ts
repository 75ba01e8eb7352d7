// A transformer learns to translate from Chinese into English, and shows what it looks at.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { manualSeed, noGrad, type Tensor, zerosLike } from "@gradloom/tensor";
import { Transformer, WordTokenizer } from "@gradloom/transformer";
import { type Alignment, drawAlignments } from "./attention-figure.ts";
import { duration, whole } from "./numbers.ts";
import { toPng } from "./png.ts";
import { createProgress } from "./progress.ts";
import {
  exactly,
  fitSequences,
  idsOf,
  type SequencePair,
  special,
  writeSequences,
} from "./sequence-training.ts";
import { makeCorpus, type Sentence } from "./translation-corpus.ts";
import { writing } from "./writing.ts";

/** What the command takes from its flags. */
export interface TrainTranslationOptions {
  readonly steps: number;
  readonly lr: number;
  readonly batchSize: number;
  /** Sentences to learn from, and for the test. */
  readonly sentences: number;
  readonly heldOut: number;
  /** Features of a word. */
  readonly dModel: number;
  /** Whether the model is told where in a sentence a word stands. */
  readonly positions: boolean;
  readonly seed: number;
  /** The folder that receives the pictures. */
  readonly out: string;
  readonly pictures: boolean;
}

/** Words of the longest sentence, and some. */
const maxLength = 20;

/**
 * Trains, translates what was held out, draws.
 *
 * @throws PlaygroundError if a file cannot be written; InterruptedError if `signal` is aborted.
 */
export async function trainTranslation(
  options: TrainTranslationOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { steps, lr, batchSize, positions, seed, out } = options;
  await writing(() => mkdir(out, { recursive: true }));
  const write = (text = "") => stream.write(`${text}\n`);

  manualSeed(seed);
  const { training, heldOut } = await makeCorpus(seed, options.sentences, options.heldOut);
  const chinese = WordTokenizer.fromTexts(training.map(({ zh }) => zh));
  const english = WordTokenizer.fromTexts(training.map(({ en }) => en));
  const pairOf = ({ zh, en }: Sentence): SequencePair => ({
    source: chinese.encode(zh, { eos: true }),
    target: english.encode(en, { bos: true, eos: true }),
  });
  const model = new Transformer({
    srcVocabSize: chinese.vocabSize,
    tgtVocabSize: english.vocabSize,
    dModel: options.dModel,
    numHeads: 4,
    numEncoderLayers: 2,
    numDecoderLayers: 2,
    dFf: 2 * options.dModel,
    maxLen: 64,
    tieWeights: true,
  });
  if (!positions) withoutPositions(model);
  write("A transformer learns to translate from Chinese into English");
  write(
    `  data      ${whole(training.length)} sentences, ${chinese.vocabSize - 4} Chinese and ${english.vocabSize - 4} English words`,
  );
  write(
    `  test      ${whole(heldOut.length)} sentences with pairs of words that never meet in training`,
  );
  write(
    `  model     2 + 2 layers, 4 heads, ${whole(model.numParameters)} parameters${positions ? "" : ", no positions"}`,
  );
  write(
    `  training  ${whole(steps)} steps of Adam, batches of ${batchSize}, lr up to ${lr} (the paper's schedule), seed ${seed}`,
  );
  write();

  const progress = createProgress(stream, steps);
  const start = performance.now();
  const onStep = (step: number, loss: number) => progress.update(step, loss);
  const fitting = fitSequences(model, training.map(pairOf), {
    steps,
    batchSize,
    lr,
    warmupSteps: Math.max(1, Math.round(steps / 7)),
    labelSmoothing: 0.1,
    seed,
    signal,
    onStep,
  });
  await fitting.finally(() => progress.stop());
  const seconds = (performance.now() - start) / 1000;

  const pairs = heldOut.map(pairOf);
  const written = await writeSequences(model, pairs, maxLength);
  const right = exactly(written, pairs);
  const count = right.filter(Boolean).length;
  write();
  write(`trained in  ${duration(seconds)}, ${(steps / seconds).toFixed(1)} steps/s`);
  write(
    `held out    ${((100 * count) / pairs.length).toFixed(1)} % exact, ${pairs.length - count} mistakes in ${whole(pairs.length)}`,
  );
  const { bosId, eosId } = special;
  const beams = await model.beamSearch(
    pairs.slice(0, 100).map(({ source }) => source),
    { bosId, eosId, maxLength },
  );
  const beamCount = exactly(beams, pairs).filter(Boolean).length;
  write(`beam search ${beamCount} of the first ${beams.length} exact, with 4 beams`);
  write();
  for (const i of shown(heldOut)) {
    write(`  ${heldOut[i].zh}  →  ${english.decode(written[i])}`);
  }
  for (const i of right.flatMap((isRight, i) => (isRight ? [] : [i])).slice(0, 5)) {
    write(`  mistake: ${heldOut[i].zh}  →  ${english.decode(written[i])}  (${heldOut[i].en})`);
  }
  if (!options.pictures) return;

  const alignments: Alignment[] = [];
  for (const i of shown(heldOut).slice(0, 3)) {
    const { source } = pairs[i];
    alignments.push(await alignmentOf(model, source, written[i], chinese, english));
  }
  const svg = drawAlignments(
    "Which words the translator looks at",
    "attention of the last decoder layer to the source, mean over heads: rows are written, columns are read",
    alignments,
  );
  const file = join(out, "attention.png");
  const png = await toPng(svg);
  await writing(() => writeFile(file, png));
  write(`\nwritten\n  ${file}`);
}

/** 我 爱 吃 火锅, and a few that are built in other ways. */
function shown(sentences: readonly Sentence[]): number[] {
  const others = [" 在 ", " 的 ", " 比 ", " 吗"].map((part) =>
    sentences.findIndex(({ zh }) => zh.includes(part)),
  );
  return [0, ...others.filter((i) => i > 0)];
}

/** What the model then looks at is a bag of words: nothing says where in the source a word stands. */
export function withoutPositions(model: Transformer): void {
  const { pe } = model.positionalEncoding;
  noGrad(() => pe.assign(zerosLike(pe)));
}

/** How much the last layer of the decoder looks at each word of the source while it writes. */
async function alignmentOf(
  model: Transformer,
  source: readonly number[],
  written: readonly number[],
  chinese: WordTokenizer,
  english: WordTokenizer,
): Promise<Alignment> {
  model.eval();
  const found: Tensor[] = [];
  const onWeights = (weights: Tensor, kind: "self" | "memory") => {
    if (kind === "memory") found.push(weights.mean(1).select(0, 0));
  };
  // What is written at a position is decided where the token before it is read.
  const target = idsOf([special.bosId, ...written]);
  noGrad(() => model.decode(target, model.encode(idsOf(source)), { onWeights }));
  const weights = (await found[found.length - 1].data()) as ArrayLike<number>;
  const words = (tokenizer: WordTokenizer, ids: readonly number[]) =>
    ids.map((id) => (id === special.eosId ? "end" : tokenizer.decode([id])));
  return {
    read: words(chinese, source),
    written: words(english, [...written, special.eosId]),
    weights,
  };
}
