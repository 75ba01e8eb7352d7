import { Generator, rand, StateError } from "@gradloom/tensor";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { candidatesOf, nextToken, penalized } from "../src/sampling.ts";

const none = { ids: [], promptLength: 0 };
const logs = (...probabilities: number[]) => Float64Array.from(probabilities, Math.log);
const listed = (scores: Float64Array, options: Parameters<typeof candidatesOf>[1]) => {
  const { ids, probabilities } = candidatesOf(scores, options);
  return Object.fromEntries(Array.from(ids, (id, i) => [id, Number(probabilities[i].toFixed(6))]));
};

describe("candidates", () => {
  const scores = logs(0.1, 0.4, 0.05, 0.25, 0.2);

  test("all, with the probabilities of a softmax", () => {
    expect(listed(scores, {})).toEqual({ 0: 0.1, 1: 0.4, 2: 0.05, 3: 0.25, 4: 0.2 });
  });

  test("temperature sharpens: p^(1/T), normalised", () => {
    const sum = 0.01 + 0.16 + 0.0025 + 0.0625 + 0.04;
    const { 1: most, 2: least } = listed(scores, { temperature: 0.5 });
    expect(most).toBeCloseTo(0.16 / sum, 6);
    expect(least).toBeCloseTo(0.0025 / sum, 6);
  });

  test("topK", () => {
    expect(listed(scores, { topK: 2 })).toEqual({ 1: 0.615385, 3: 0.384615 });
    expect(listed(scores, { topK: 9 })).toEqual(listed(scores, {}));
    expect(listed(logs(0.25, 0.25, 0.25, 0.25), { topK: 2 })).toEqual({ 0: 0.5, 1: 0.5 });
  });

  test("topP takes the token that crosses the share, and no more", () => {
    expect(listed(scores, { topP: 0.39 })).toEqual({ 1: 1 });
    expect(listed(scores, { topP: 0.41 })).toEqual({ 1: 0.615385, 3: 0.384615 });
    expect(Object.keys(listed(scores, { topP: 0.86 }))).toEqual(["0", "1", "3", "4"]);
    expect(listed(logs(0.25, 0.25, 0.25, 0.25), { topP: 0.5 })).toEqual({ 0: 0.5, 1: 0.5 });
  });

  test("minP is a share of the likeliest", () => {
    expect(Object.keys(listed(scores, { minP: 0.49 }))).toEqual(["1", "3", "4"]);
    expect(Object.keys(listed(scores, { minP: 1 }))).toEqual(["1"]);
  });

  test("each works on what the one before has left", () => {
    // Of the three likeliest, 0.47, 0.29 and 0.24, the first two have 0.76 together.
    expect(Object.keys(listed(scores, { topK: 3, topP: 0.75 }))).toEqual(["1", "3"]);
    // With all of them they have 0.65 only.
    expect(Object.keys(listed(scores, { topP: 0.75 }))).toEqual(["1", "3", "4"]);
  });
});

describe("any options", () => {
  const options = fc.record({
    temperature: fc.double({ min: 0.05, max: 5, noNaN: true }),
    topK: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
    topP: fc.double({ min: 0.01, max: 1, noNaN: true }),
    minP: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const logits = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), {
    minLength: 1,
    maxLength: 30,
  });

  test("leave tokens that are no less likely than those left out, with probabilities of sum 1", () => {
    fc.assert(
      fc.property(logits, options, (logits, options) => {
        const { ids, probabilities } = candidatesOf(Float64Array.from(logits), options);
        const left = [...ids];
        expect(left.length).toBeGreaterThan(0);
        expect(left.length).toBeLessThanOrEqual(options.topK ?? logits.length);
        expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
        const least = Math.min(...left.map((id) => logits[id]));
        const others = logits.filter((_, id) => !left.includes(id));
        // Logits that differ less than probabilities can tell are equal.
        for (const other of others) expect(other).toBeLessThanOrEqual(least + 1e-9);
      }),
      { seed: 1 },
    );
  });
});

describe("penalties", () => {
  const text = { ids: [0, 1, 2, 2, 2, 3], promptLength: 2 };
  const logits = [2, -2, 3, 1, 5];

  test("repetition divides what is above 0 and multiplies what is below, prompt included", () => {
    expect([...penalized(logits, text, { repetitionPenalty: 2 })]).toEqual([1, -4, 1.5, 0.5, 5]);
  });

  test("presence and frequency count new tokens", () => {
    expect([...penalized(logits, text, { presencePenalty: 0.5 })]).toEqual([2, -2, 2.5, 0.5, 5]);
    expect([...penalized(logits, text, { frequencyPenalty: 0.5 })]).toEqual([2, -2, 1.5, 0.5, 5]);
    const both = { presencePenalty: 0.25, frequencyPenalty: 0.5 };
    expect([...penalized(logits, text, both)]).toEqual([2, -2, 1.25, 0.25, 5]);
  });

  test("also the likeliest token is one after penalties", () => {
    const greedy = { temperature: 0 };
    expect(nextToken([1, 3, 2], none, greedy, 0)).toBe(1);
    const penalty = { ...greedy, presencePenalty: 2 };
    expect(nextToken([1, 3, 2], { ids: [1], promptLength: 0 }, penalty, 0)).toBe(2);
  });
});

describe("drawing", () => {
  test("each token comes as often as it is likely", async () => {
    const wanted = [0.1, 0.4, 0.05, 0.25, 0.2];
    const logits = logs(...wanted);
    const draws = 20_000;
    const generator = new Generator(7);
    const numbers = await rand([draws], { dtype: "float64", generator }).data();
    const counts = wanted.map(() => 0);
    for (const number of numbers) counts[nextToken(logits, none, {}, number)]++;
    // χ² with 4 degrees of freedom is above 18.5 in one of a thousand cases.
    const chi2 = counts.reduce((sum, count, i) => {
      return sum + (count - draws * wanted[i]) ** 2 / (draws * wanted[i]);
    }, 0);
    expect(chi2).toBeLessThan(18.5);
  });

  test("the whole of [0, 1) is divided among the candidates", () => {
    const logits = logs(0.5, 0, 0.5);
    expect(nextToken(logits, none, {}, 0)).toBe(0);
    expect(nextToken(logits, none, {}, 0.4999)).toBe(0);
    expect(nextToken(logits, none, {}, 0.5001)).toBe(2);
    expect(nextToken(logits, none, {}, 1 - 2 ** -53)).toBe(2);
  });

  test("a NaN among the logits is an error", () => {
    expect(() => nextToken([0, Number.NaN], none, {}, 0)).toThrow(StateError);
  });
});
