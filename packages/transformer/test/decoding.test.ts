import { ArgumentError, manualSeed, memoryStats, noGrad, randint, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { Transformer } from "../src/index.ts";

const special = { bosId: 1, eosId: 2 };

function model(seed: number, tgtVocabSize = 9): Transformer {
  manualSeed(seed);
  const made = new Transformer({
    srcVocabSize: 11,
    tgtVocabSize,
    dModel: 16,
    numHeads: 2,
    numEncoderLayers: 1,
    numDecoderLayers: 2,
    dFf: 24,
  });
  const { weight } = made.projection;
  noGrad(() => weight.assign(weight.mul(3)));
  return made;
}

describe("greedyDecode and beamSearch", () => {
  test("with and without a cache they write the same, beyond the cache's first size", async () => {
    for (const [seed, maxLength] of [
      [1, 40],
      [2, 12],
      [3, 12],
    ]) {
      const transformer = model(seed);
      const src = randint(3, 11, [3, 6]);
      const options = { ...special, maxLength };
      const greedy = await transformer.greedyDecode(src, options);
      expect(greedy).toHaveLength(3);
      expect(await transformer.greedyDecode(src, { ...options, useCache: false })).toEqual(greedy);
      const beam = { ...options, maxLength: 12, beamSize: 3 };
      const found = await transformer.beamSearch(src, beam);
      expect(await transformer.beamSearch(src, { ...beam, useCache: false })).toEqual(found);
      expect(await transformer.beamSearch(src, { ...options, beamSize: 1 })).toEqual(greedy);
    }
  });

  test("a batch of sources that differ in length gives what each gives alone", async () => {
    const transformer = model(4);
    const sources = [
      [3, 4, 5, 6, 7],
      [8, 9],
      [10, 3, 4],
    ];
    const options = { ...special, maxLength: 10 };
    const alone = [];
    for (const source of sources) alone.push(await transformer.greedyDecode(source, options));
    expect(await transformer.greedyDecode(sources, options)).toEqual(alone);
    const beams = [];
    for (const source of sources) beams.push(await transformer.beamSearch(source, options));
    expect(await transformer.beamSearch(sources, options)).toEqual(beams);
  });

  test("several at once leave the model in training", async () => {
    const transformer = model(5);
    const options = { ...special, maxLength: 5 };
    const sources = [[3], [4, 5]];
    const [greedy, beams] = await Promise.all([
      Promise.all(sources.map((src) => transformer.greedyDecode(src, options))),
      Promise.all(sources.map((src) => transformer.beamSearch(src, options))),
    ]);
    expect(transformer.modules().every(({ training }) => training)).toBe(true);
    expect(greedy).toEqual(await transformer.greedyDecode(sources, options));
    expect(beams).toEqual(await transformer.beamSearch(sources, options));
  });

  test("a second text compiles nothing", async () => {
    const transformer = model(5);
    const options = { ...special, maxLength: 20 };
    const source = [3, 4, 5];
    for (let i = 0; i < 2; i++) {
      await transformer.greedyDecode(source, options);
      await transformer.beamSearch(source, options);
    }
    const { compiledPlans } = memoryStats();
    await transformer.greedyDecode([9, 8, 7], options);
    await transformer.beamSearch([9, 8, 7], options);
    expect(memoryStats().compiledPlans).toBe(compiledPlans);
  });

  // In each case; with 300 beams and 3 words most beams are empty at first.
  test.each([
    [6, 5, 3, 21, 0],
    [6, 5, 3, 21, 0.6],
    [6, 5, 3, 21, 1.5],
    ...[10, 11, 12, 13].map((seed) => [seed, 3, 5, 300, 2]),
  ])(
    "a wide beam finds the best of all targets: seed %d, %d words, at most %d, %d beams, α = %d",
    async (seed, words, longest, beamSize, alpha) => {
      const transformer = model(seed, words).eval();
      const source = [3, 4];
      const memory = transformer.encode(tensor([source], { dtype: "int32" }));
      const all: { ids: number[]; score: number }[] = [];
      const visit = (ids: number[], logProbability: number) => {
        if (ids.length === longest) return;
        const tgt = tensor([[1, ...ids]], { dtype: "int32" });
        const logits = noGrad(() => transformer.decode(tgt, memory)).select(1, -1);
        const next = logits.logSoftmax(-1).dataSync();
        for (let id = 0; id < words; id++) {
          const sum = logProbability + Number(next[id]);
          if (id !== 2) visit([...ids, id], sum);
          else all.push({ ids, score: sum / ((6 + ids.length) / 6) ** alpha });
        }
      };
      visit([], 0);
      const best = all.reduce((a, b) => (b.score > a.score ? b : a));
      const options = { ...special, maxLength: longest, beamSize, lengthPenalty: alpha };
      expect(await transformer.beamSearch(source, options)).toEqual(best.ids);
    },
  );

  test("ends at the longest length, and says what is out of range", async () => {
    const transformer = model(7);
    const never = transformer.projection.bias!;
    noGrad(() => never.assign(tensor([0, 0, -1e9, 0, 0, 0, 0, 0, 0])));
    expect(await transformer.greedyDecode([3], { ...special, maxLength: 5 })).toHaveLength(5);
    expect(await transformer.beamSearch([3], { ...special, maxLength: 5 })).toHaveLength(5);
    expect(await transformer.greedyDecode([3, 4], special)).toHaveLength(52);
    const refused = [
      transformer.greedyDecode([3], { ...special, maxLength: 0 }),
      transformer.greedyDecode([3], { ...special, maxLength: 5001 }),
      transformer.greedyDecode([3], { bosId: 9, eosId: 2 }),
      transformer.beamSearch([3], { ...special, beamSize: 0 }),
      transformer.beamSearch([3], { ...special, lengthPenalty: Number.NaN }),
      transformer.greedyDecode([], special),
    ];
    for (const result of refused) await expect(result).rejects.toThrow(ArgumentError);
  });
});
