import { RecurrentLM } from "@gradloom/rnn-lstm";
import { manualSeed, memoryStats } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { correlation, knownCells, traceCells } from "../src/cells.ts";
import { fitLanguage } from "../src/language.ts";
import { Alphabet, bitsFromPairs, loadText, piecesOf } from "../src/text.ts";
import { bitsFigure, cellsFigure, excerptWithQuotes } from "../src/text-figures.ts";

test("Moby Dick, as numbers and back", async () => {
  const { alphabet, training, heldOut } = await loadText(5000);
  expect(heldOut).toHaveLength(5000);
  expect(alphabet.decode(training.subarray(0, 20))).toBe("CHAPTER 1. Loomings.");
  expect(() => alphabet.encode("ñ")).toThrow('The text that was learned has no "ñ".');
});

test("strips go on where their last piece ended, and targets are one character ahead", async () => {
  const ids = Int32Array.from({ length: 21 }, (_, i) => i);
  const pieces = [...piecesOf(ids, 2, 5)];
  expect(pieces.map(({ x }) => [...x.dataSync()])).toEqual([
    [0, 1, 2, 3, 4, 10, 11, 12, 13, 14],
    [5, 6, 7, 8, 9, 15, 16, 17, 18, 19],
  ]);
  for (const { x, y } of pieces) {
    expect([...y.dataSync()]).toEqual([...x.dataSync()].map((id) => Number(id) + 1));
  }
});

test("bits from pairs: a coin costs one bit, an alternation almost none", () => {
  const alternating = Int32Array.from({ length: 2001 }, (_, i) => i % 2);
  expect(bitsFromPairs(alternating, alternating, 2)).toBeLessThan(0.01);
  const halves = Int32Array.from({ length: 2001 }, (_, i) => (i >> 1) % 2);
  expect(bitsFromPairs(halves, halves, 2)).toBeCloseTo(1, 2);
});

test("correlation, by hand", () => {
  expect(correlation([1, 2, 3], [2, 4, 6])).toBeCloseTo(1);
  expect(correlation([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1);
  expect(correlation([1, 2, 3], [5, 5, 5])).toBe(0);
});

test("a small LSTM learns from a text, and its cells can be drawn", async () => {
  manualSeed(0);
  const text = "He said: “Aye, aye!” and went.\n\n".repeat(80);
  const alphabet = new Alphabet(text);
  const ids = alphabet.encode(text);
  const model = new RecurrentLM({
    vocabSize: alphabet.characters.length,
    embeddingDim: 8,
    hiddenSize: 16,
  });
  const plans = memoryStats().compiledPlans;
  const points = await fitLanguage(
    model,
    { alphabet, training: ids, heldOut: ids },
    {
      steps: 60,
      batchSize: 4,
      length: 16,
      lr: 0.02,
      signal: new AbortController().signal,
      onStep: () => {},
    },
  );
  // Pieces of a test that computed those before them again would take a plan each.
  expect(memoryStats().compiledPlans - plans).toBeLessThan(10);
  expect(points[points.length - 1].bits).toBeLessThan(points[0].bits - 1);
  const characters = [...text].slice(0, 200);
  const trace = await traceCells(model, ids.subarray(0, 200));
  const known = knownCells(trace, characters);
  expect(new Set(known.map(({ cell }) => cell)).size).toBe(known.length);
  const excerpt = excerptWithQuotes(characters, 40);
  expect(characters.slice(excerpt.start, excerpt.end).join("")).toContain("“Aye, aye!”");
  for (const svg of [
    cellsFigure(trace, known, characters, excerpt, 4),
    bitsFigure([{ name: "LSTM", points }], 3, "a test"),
  ]) {
    expect(svg).not.toMatch(/NaN|undefined/);
  }
});
