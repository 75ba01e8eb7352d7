// A transformer learns to rewrite dates, character by character.
import { manualSeed } from "@gradloom/tensor";
import { Transformer, WordTokenizer } from "@gradloom/transformer";
import { makeDates, type WrittenDate } from "./dates.ts";
import { duration, whole } from "./numbers.ts";
import { createProgress } from "./progress.ts";
import { exactly, fitSequences, type SequencePair, writeSequences } from "./sequence-training.ts";

/** What the command takes from its flags. */
export interface TrainDatesOptions {
  readonly steps: number;
  readonly lr: number;
  readonly batchSize: number;
  /** Dates to learn from, and for the test. */
  readonly dates: number;
  readonly heldOut: number;
  /** Features of a character. */
  readonly dModel: number;
  readonly seed: number;
}

const characters = { split: (text: string) => [...text], separator: "" };

/**
 * Trains, and rewrites dates that were held out.
 *
 * @throws InterruptedError if `signal` is aborted.
 */
export async function trainDates(
  options: TrainDatesOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { steps, lr, batchSize, dModel, seed } = options;
  const write = (text = "") => stream.write(`${text}\n`);
  manualSeed(seed);
  const { training, heldOut } = await makeDates(seed, options.dates, options.heldOut);
  const read = WordTokenizer.fromTexts(
    training.map(({ given }) => given),
    characters,
  );
  const written = WordTokenizer.fromTexts(
    training.map(({ wanted }) => wanted),
    characters,
  );
  const pairOf = ({ given, wanted }: WrittenDate): SequencePair => ({
    source: read.encode(given, { eos: true }),
    target: written.encode(wanted, { bos: true, eos: true }),
  });
  const model = new Transformer({
    srcVocabSize: read.vocabSize,
    tgtVocabSize: written.vocabSize,
    dModel,
    numHeads: 4,
    numEncoderLayers: 2,
    numDecoderLayers: 2,
    dFf: 2 * dModel,
    maxLen: 64,
  });
  write("A transformer learns to rewrite dates, character by character");
  write(`  data      ${whole(training.length)} dates from 1900 to 2099 in 8 styles`);
  write(`  test      ${whole(heldOut.length)} others`);
  write(`  model     2 + 2 layers, 4 heads, ${whole(model.numParameters)} parameters`);
  write(
    `  training  ${whole(steps)} steps of Adam, batches of ${batchSize}, lr up to ${lr}, seed ${seed}`,
  );
  write();

  const progress = createProgress(stream, steps);
  const start = performance.now();
  const fitting = fitSequences(model, training.map(pairOf), {
    steps,
    batchSize,
    lr,
    warmupSteps: Math.max(1, Math.round(steps / 5)),
    labelSmoothing: 0,
    seed,
    signal,
    onStep: (step, loss) => progress.update(step, loss),
  });
  await fitting.finally(() => progress.stop());
  const seconds = (performance.now() - start) / 1000;

  const pairs = heldOut.map(pairOf);
  const ids = await writeSequences(model, pairs, 12);
  const right = exactly(ids, pairs);
  const count = right.filter(Boolean).length;
  write();
  write(`trained in  ${duration(seconds)}, ${(steps / seconds).toFixed(1)} steps/s`);
  write(
    `held out    ${((100 * count) / pairs.length).toFixed(2)} % exact, ${pairs.length - count} mistakes in ${whole(pairs.length)}`,
  );
  write();
  const wrong = right.flatMap((isRight, i) => (isRight ? [] : [i])).slice(0, 3);
  for (const i of [...Array.from({ length: Math.min(8, heldOut.length) }, (_, i) => i), ...wrong]) {
    const note = right[i] ? "" : `  (mistake: it is ${heldOut[i].wanted})`;
    write(`  ${heldOut[i].given}  →  ${written.decode(ids[i])}${note}`);
  }
}
