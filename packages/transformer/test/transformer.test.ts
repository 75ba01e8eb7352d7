import { crossEntropyLoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import {
  ArgumentError,
  manualSeed,
  memoryStats,
  noGrad,
  randint,
  realize,
  StateError,
  type Tensor,
  tensor,
} from "@gradloom/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { padSequences, Transformer } from "../src/index.ts";

const sizes = {
  srcVocabSize: 11,
  tgtVocabSize: 7,
  dModel: 16,
  numHeads: 2,
  numEncoderLayers: 1,
  numDecoderLayers: 2,
  dFf: 24,
};
const special = { bosId: 1, eosId: 2 };

function distance(a: Tensor, b: Tensor): number {
  return a.sub(b).abs().max().itemSync();
}

/** With sharper logits than initial ones, so that what is likeliest is clear. */
function sharp(seed: number, options: object = {}): Transformer {
  manualSeed(seed);
  const model = new Transformer({ ...sizes, ...options }).eval();
  const { weight } = model.projection;
  noGrad(() => weight.assign(weight.mul(6)));
  return model;
}

describe("Transformer", () => {
  test("forward is encode and decode; positions see the past alone", () => {
    const model = sharp(1);
    const [src, tgt] = [randint(0, 11, [2, 5]), randint(0, 7, [2, 4])];
    const logits = model.forward(src, tgt);
    expect(logits.shape).toEqual([2, 4, 7]);
    const memory = model.encode(src);
    expect(distance(logits, model.decode(tgt, memory))).toBe(0);
    const first = model.decode(tgt.narrow(1, 0, 2), memory);
    expect(distance(logits.narrow(1, 0, 2), first)).toBeLessThan(1e-5);
  });

  test("padding does not matter, on either side", () => {
    const model = sharp(2);
    const [src, tgt] = [randint(0, 11, [1, 3]), randint(0, 7, [1, 2])];
    const padded = padSequences([[...src.dataSync()].map(Number)], { length: 6, padId: 5 });
    const target = padSequences([[...tgt.dataSync()].map(Number)], { length: 4 });
    const masks = { srcPaddingMask: padded.paddingMask, tgtPaddingMask: target.paddingMask };
    const logits = model.forward(padded.ids, target.ids, masks);
    expect(distance(logits.narrow(1, 0, 2), model.forward(src, tgt))).toBeLessThan(1e-5);
  });

  test("tied weights are one parameter, with a gradient from both uses", () => {
    const tied = sharp(3, { tieWeights: true });
    const free = sharp(3);
    expect(tied.projection.weight).toBe(tied.tgtEmbedding.weight);
    expect(free.numParameters - tied.numParameters).toBe(7 * 16);
    free.loadStateDict(tied.stateDict());
    const [src, tgt] = [randint(0, 11, [2, 3]), randint(0, 7, [2, 3])];
    for (const model of [tied, free]) model.forward(src, tgt).square().mean().backward();
    const sum = free.projection.weight.grad!.add(free.tgtEmbedding.weight.grad!);
    expect(distance(tied.tgtEmbedding.weight.grad!, sum)).toBeLessThan(1e-5);
  });

  test("property: decoding in pieces with a cache gives what decoding as a whole gives", () => {
    const model = sharp(4);
    const src = randint(0, 11, [2, 5]);
    const srcPaddingMask = tensor([
      [false, false, false, false, false],
      [false, false, false, true, true],
    ]);
    const memory = model.encode(src, { srcPaddingMask });
    const pieces = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(pieces, (lengths) => {
        const time = lengths.reduce((a, b) => a + b);
        const tgt = randint(0, 7, [2, time]);
        const cache = model.createCache({ capacity: 4 });
        let start = 0;
        const whole = model.decode(tgt, memory, { srcPaddingMask });
        for (const length of lengths) {
          const ids = tgt.narrow(1, start, length);
          const logits = model.decode(ids, memory, { srcPaddingMask, cache });
          expect(distance(logits, whole.narrow(1, start, length))).toBeLessThan(1e-4);
          start += length;
        }
        expect(cache.position).toBe(time);
        expect(cache.capacity).toBe(time <= 4 ? 4 : time <= 8 ? 8 : time <= 16 ? 16 : 32);
      }),
      { numRuns: 4 },
    );
  });

  test("one token after the other compiles nothing, while there is room", () => {
    const model = sharp(5);
    const memory = model.encode(randint(0, 11, [1, 3]));
    const cache = model.createCache({ capacity: 16 });
    const next = () => realize(model.decode(tensor([[3]], { dtype: "int32" }), memory, { cache }));
    for (let i = 0; i < 3; i++) next();
    const { compiledPlans } = memoryStats();
    for (let i = 3; i < 16; i++) next();
    expect(memoryStats().compiledPlans).toBe(compiledPlans);
    expect(cache.capacity).toBe(16);
  });

  test("a cache belongs to one memory", () => {
    const model = sharp(6);
    const tgt = tensor([[1]], { dtype: "int32" });
    const [first, second] = [model.encode(randint(0, 11, [1, 3])), model.encode(tgt)];
    const cache = model.createCache();
    model.decode(tgt, first, { cache });
    expect(() => model.decode(tgt, second, { cache })).toThrow(StateError);
    for (const other of [tgt.repeat([2, 1]), tgt.squeeze(0)]) {
      expect(() => model.decode(other, first, { cache })).toThrow("decode: with a cache tgt must");
    }
    const tgtPaddingMask = tensor([[false]]);
    expect(() => model.decode(tgt, first, { cache, tgtPaddingMask })).toThrow(ArgumentError);
  });

  test("refuses numbers of layers that are none", () => {
    for (const count of [-1, 1.5]) {
      expect(() => new Transformer({ ...sizes, numEncoderLayers: count })).toThrow(
        `Transformer: numEncoderLayers must be an integer of at least 0, got ${count}.`,
      );
    }
  });

  test("learns to turn sequences round, and writes them with every kind of decoding", async () => {
    manualSeed(7);
    const model = new Transformer({
      ...sizes,
      srcVocabSize: 10,
      tgtVocabSize: 10,
      dModel: 32,
      dFf: 64,
      dropout: 0,
    });
    const optimizer = new Adam(model.parameters(), { lr: 3e-3, betas: [0.9, 0.98] });
    let loss = Number.POSITIVE_INFINITY;
    for (let step = 0; step < 800; step++) {
      const digits = randint(3, 10, [32, 4]);
      const [src, tgt] = task(digits);
      optimizer.zeroGrad();
      const logits = model.forward(src, tgt.narrow(1, 0, 5));
      const value = crossEntropyLoss(logits.reshape([-1, 10]), tgt.narrow(1, 1, 5).reshape([-1]));
      value.backward();
      optimizer.step();
      if (step % 50 === 49) loss = await value.item();
    }
    expect(loss).toBeLessThan(0.1);
    const sources = Array.from({ length: 20 }, (_, i) =>
      [i, i * 3, i + 5, i * 2].map((n) => 3 + (n % 7)),
    );
    const reversed = sources.map((digits) => [...digits].reverse());
    expect(model.training).toBe(true);
    const greedy = await model.greedyDecode(sources, special);
    expect(model.training).toBe(true);
    const exact = greedy.filter((ids, i) => String(ids) === String(reversed[i])).length;
    expect(exact).toBeGreaterThanOrEqual(19);
    expect(await model.greedyDecode(sources, { ...special, useCache: false })).toEqual(greedy);
    expect(await model.beamSearch(sources, { ...special, beamSize: 1 })).toEqual(greedy);
    const beams = await model.beamSearch(sources, special);
    expect(beams.filter((ids, i) => String(ids) === String(reversed[i])).length).toBe(20);
  });
});

/** `[bos, …reversed, eos]` for each row. */
function task(digits: Tensor): [src: Tensor, tgt: Tensor] {
  const rows = digits.arraySync() as number[][];
  return [
    digits,
    tensor(
      rows.map((row) => [1, ...[...row].reverse(), 2]),
      { dtype: "int32" },
    ),
  ];
}
