import { manualSeed } from "@gradloom/tensor";
import { Transformer, WordTokenizer } from "@gradloom/transformer";
import { describe, expect, test } from "vitest";
import { drawAlignments } from "../src/attention-figure.ts";
import { makeDates } from "../src/dates.ts";
import { toPng } from "../src/png.ts";
import { exactly, fitSequences, writeSequences } from "../src/sequence-training.ts";
import { withoutPositions } from "../src/train-translation.ts";
import { hotPot, makeCorpus, type Sentence } from "../src/translation-corpus.ts";

describe("the sentences of train-translation", () => {
  test("are thousands, with hundreds of words; pairs that are held out never meet in training", async () => {
    const { training, heldOut } = await makeCorpus(0, 6000, 500);
    expect(training).toHaveLength(6000);
    expect(heldOut).toHaveLength(500);
    expect(heldOut[0]).toBe(hotPot);
    const pairs = new Set(training.map(({ pair }) => pair));
    expect(heldOut.filter(({ pair }) => pairs.has(pair))).toEqual([]);
    expect(new Set([...training, ...heldOut].map(({ zh }) => zh)).size).toBe(6500);
    for (const language of ["zh", "en"] as const) {
      const words = new Set(training.flatMap((sentence) => sentence[language].split(" ")));
      expect(words.size).toBeGreaterThan(180);
      for (const sentence of heldOut) {
        for (const word of sentence[language].split(" ")) expect(words).toContain(word);
      }
    }
  });

  test("are the same for the same seed", async () => {
    expect(await makeCorpus(3, 100, 10)).toEqual(await makeCorpus(3, 100, 10));
  });
});

test("dates are written in 8 styles, and those of the test are not in training", async () => {
  const { training, heldOut } = await makeDates(0, 500, 100);
  const given = new Set(training.map((date) => date.given));
  expect(heldOut.filter((date) => given.has(date.given))).toEqual([]);
  for (const { given, wanted } of training) {
    expect(wanted).toMatch(/^(19|20)\d\d-[01]\d-[0-3]\d$/);
    expect(given).toContain(wanted.slice(0, 4));
    if (/^\w+ \d+, \d+$/.test(given)) {
      const date = new Date(`${given} UTC`);
      expect(date.toISOString().slice(0, 10)).toBe(wanted);
    }
  }
});

test("where the words stand matters: who is smaller than whom", async () => {
  const sentences = (await makeCorpus(0, 4000, 100)).training.filter(({ zh }) =>
    zh.includes(" 比 "),
  );
  const [training, held] = [sentences.slice(0, 320), sentences.slice(320, 400)];
  const right: number[] = [];
  for (const positions of [true, false]) {
    manualSeed(0);
    const chinese = WordTokenizer.fromTexts(sentences.map(({ zh }) => zh));
    const english = WordTokenizer.fromTexts(sentences.map(({ en }) => en));
    const pairsOf = (list: readonly Sentence[]) =>
      list.map(({ zh, en }) => ({
        source: chinese.encode(zh, { eos: true }),
        target: english.encode(en, { bos: true, eos: true }),
      }));
    const model = new Transformer({
      srcVocabSize: chinese.vocabSize,
      tgtVocabSize: english.vocabSize,
      dModel: 32,
      numHeads: 2,
      numEncoderLayers: 1,
      numDecoderLayers: 1,
      dFf: 64,
      dropout: 0,
      maxLen: 32,
    });
    if (!positions) withoutPositions(model);
    await fitSequences(model, pairsOf(training), {
      steps: 300,
      batchSize: 32,
      lr: 5e-3,
      warmupSteps: 50,
      labelSmoothing: 0.1,
      seed: 0,
    });
    const written = await writeSequences(model, pairsOf(held), 16);
    right.push(exactly(written, pairsOf(held)).filter(Boolean).length / held.length);
  }
  console.log(`exact with positions ${right[0]}, without ${right[1]}`);
  expect(right[0]).toBeGreaterThan(0.9);
  // A bag of words leaves open which of two things is the smaller one.
  expect(right[1]).toBeLessThan(0.75);
});

test("heat maps have Chinese words", async () => {
  const draw = (word: string) =>
    toPng(drawAlignments("a", "b", [{ read: [word], written: ["hot"], weights: [0.5] }]));
  const [hot, empty, unknown] = [await draw("火"), await draw(""), await draw("吃")];
  expect(hot).not.toEqual(empty);
  expect(hot).not.toEqual(unknown);
});
