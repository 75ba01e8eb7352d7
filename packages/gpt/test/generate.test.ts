import {
  ArgumentError,
  compile,
  IndexError,
  manualSeed,
  memoryStats,
  noGrad,
  type Tensor,
  tensor,
} from "@gradloom/tensor";
import { beforeAll, describe, expect, test } from "vitest";
import { type GenerateOptions, GPT } from "../src/index.ts";

const sizes = { vocabSize: 19, maxSeqLen: 64, dModel: 16, numHeads: 2, numLayers: 2 };
let model: GPT;
beforeAll(() => {
  manualSeed(3);
  model = new GPT({ ...sizes, dropout: 0.3 });
  // Larger weights than at the start of a training, so that the model has opinions.
  noGrad(() => {
    for (const parameter of model.parameters()) parameter.assign(parameter.mul(6));
  });
});

/** The likeliest next tokens, without a cache. */
function greedy(prompt: readonly number[], count: number, window = sizes.maxSeqLen): number[] {
  const text = [...prompt];
  model.eval();
  for (let i = 0; i < count; i++) {
    const logits = model.forward(tensor([text.slice(-window)], { dtype: "int32" }));
    text.push(logits.select(1, -1).argmax(-1).dataSync()[0]);
  }
  model.train();
  return text;
}

const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 3]];

describe("generate", () => {
  test("greedy, with the cache, is what whole passes give", async () => {
    const options = { maxNewTokens: 40, temperature: 0 };
    const wanted = prompts.map((prompt) => greedy(prompt, 40));
    expect(new Set(wanted[0]).size).toBeGreaterThan(4);
    expect(await model.generate(prompts[0], options)).toEqual(wanted[0]);
    expect(await model.generate(prompts, options)).toEqual(wanted);
    expect(model.modules().every((module) => module.training)).toBe(true);
  });

  test.each<GenerateOptions>([
    { temperature: 0.8 },
    { topK: 5, topP: 0.9, minP: 0.02, repetitionPenalty: 1.2, presencePenalty: 0.1 },
    { stop: [3, [4, 4]], temperature: 2 },
  ])("a row of several is what its prompt gives alone: %o", async (options) => {
    const rows = await model.generate(prompts, { maxNewTokens: 30, seed: 11, ...options });
    for (const [i, prompt] of prompts.entries()) {
      const alone = await model.generate(prompt, { maxNewTokens: 30, seed: 11 + i, ...options });
      expect(rows[i]).toEqual(alone);
    }
  });

  test("without a seed manualSeed fixes the text", async () => {
    const text = () => model.generate([[1], [2]], { maxNewTokens: 20, temperature: 2 });
    manualSeed(4);
    const first = await text();
    expect(await text()).not.toEqual(first);
    manualSeed(4);
    expect(await text()).toEqual(first);
  });

  test("a seed fixes the text, and other seeds give others", async () => {
    const text = (seed: number) => model.generate([1], { maxNewTokens: 30, seed, temperature: 2 });
    expect(await text(5)).toEqual(await text(5));
    expect(await text(5)).not.toEqual(await text(6));
  });

  test("tokens come as often as the model says", async () => {
    const { probabilities, counts } = await drawn(3000);
    const chi2 = counts.reduce((sum, count, id) => {
      return sum + (count - 3000 * probabilities[id]) ** 2 / (3000 * probabilities[id]);
    }, 0);
    // χ² with 18 degrees of freedom is above 42.3 in one of a thousand cases.
    expect(chi2).toBeLessThan(42.3);
  });

  /** How likely each token is behind a prompt, and how often it came. */
  async function drawn(count: number) {
    model.eval();
    const logits = model.forward(tensor([[1, 2]], { dtype: "int32" })).select(1, -1);
    model.train();
    const probabilities = await logits.div(8).softmax(-1).data();
    const rows = Array.from({ length: count }, () => [1, 2]);
    const texts = await model.generate(rows, { maxNewTokens: 1, temperature: 8, seed: 0 });
    const counts = new Array<number>(sizes.vocabSize).fill(0);
    for (const text of texts) counts[text[2]]++;
    return { probabilities, counts };
  }

  test("a stop sequence ends a text, and is part of it", async () => {
    const whole = await model.generate([1, 2, 3], { maxNewTokens: 30, temperature: 0 });
    const options = { maxNewTokens: 30, temperature: 0 };
    const stop = [[-1, 0], whole.slice(8, 10)].map((ids) => ids.map((id) => Math.max(id, 0)));
    const at = whole.findIndex(
      (_, i) => i > 3 && whole[i] === stop[1][1] && whole[i - 1] === stop[1][0],
    );
    expect(await model.generate([1, 2, 3], { ...options, stop: [stop[1]] })).toEqual(
      whole.slice(0, at + 1),
    );
    const first = whole.indexOf(whole[5], 3);
    expect(await model.generate([1, 2, 3], { ...options, stop: whole[5] })).toEqual(
      whole.slice(0, first + 1),
    );
    // What the prompt has does not end anything.
    const ended = await model.generate([...whole.slice(0, 10)], { ...options, stop: [stop[1]] });
    expect(ended.length).toBeGreaterThan(10);
  });

  test("tells each token, and ends when aborted", async () => {
    const controller = new AbortController();
    const told: [number, number][] = [];
    const rows = await model.generate([[1], [2, 3]], {
      seed: 1,
      maxNewTokens: 20,
      signal: controller.signal,
      onToken: (id, row) => {
        told.push([id, row]);
        if (told.length === 6) controller.abort();
      },
    });
    expect(rows.map(({ length }) => length)).toEqual([4, 5]);
    expect(told.filter(([, row]) => row === 1).map(([id]) => id)).toEqual(rows[1].slice(2));
  });

  test("nothing at all if no token is asked for", async () => {
    expect(await model.generate([4, 5], { maxNewTokens: 0 })).toEqual([4, 5]);
  });
});

describe("stream", () => {
  test("gives the new ids of generate, one by one", async () => {
    const options = { maxNewTokens: 12, seed: 4 };
    const ids: number[] = [];
    for await (const id of model.stream([7, 8], options)) ids.push(id);
    expect([7, 8, ...ids]).toEqual(await model.generate([7, 8], options));
  });

  test("of several prompts gives a list a step, with holes where a row has ended", async () => {
    const options = { maxNewTokens: 25, seed: 4, stop: [1, 2, 3], temperature: 3 };
    const rows = prompts.map((prompt) => [...prompt]);
    let holes = 0;
    for await (const step of model.stream(prompts, options)) {
      for (const [row, id] of step.entries()) {
        if (id === undefined) holes++;
        else rows[row].push(id);
      }
    }
    expect(rows).toEqual(await model.generate(prompts, options));
    expect(holes).toBeGreaterThan(0);
  });

  test("can be aborted by a timer while nothing else happens", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const options = { maxNewTokens: 20_000, slidingWindow: 16, signal: controller.signal };
    const ids = await model.generate([1], options);
    expect(ids.length).toBeLessThan(20_000);
  });

  test("ends without the token that is being computed when it is aborted", async () => {
    const controller = new AbortController();
    const stream = model.stream([7, 8], { seed: 4, signal: controller.signal });
    expect((await stream.next()).done).toBe(false);
    const pending = stream.next();
    controller.abort();
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  test("can be left early", async () => {
    let count = 0;
    for await (const _ of model.stream([1], { seed: 1 })) if (++count === 3) break;
    expect(count).toBe(3);
    expect(model.training).toBe(true);
  });
});

describe("more tokens than positions", () => {
  test("are an error before anything is computed", async () => {
    await expect(model.generate([1, 2], { maxNewTokens: 63 })).rejects.toThrow(
      "generate: a text must have at most maxSeqLen = 64 tokens, got a prompt of 2 and maxNewTokens = 63. " +
        "Ask for fewer, or pass { slidingWindow: true }.",
    );
    expect(await model.generate([1, 2], { seed: 1 })).toHaveLength(64);
  });

  test("with a sliding window each token sees the last maxSeqLen", async () => {
    const options = { maxNewTokens: 70, temperature: 0, slidingWindow: true };
    expect(await model.generate([1, 2, 3], options)).toEqual(greedy([1, 2, 3], 70));
    const long = greedy([1, 2, 3], 70);
    expect(await model.generate(long, { ...options, maxNewTokens: 2 })).toEqual(greedy(long, 2));
  });

  test("with a shorter one the text is cut when it is full", async () => {
    const options = { maxNewTokens: 63, temperature: 0, slidingWindow: 10 };
    const full = greedy([1, 2, 3], 62); // the last of these 65 tokens does not fit
    const cut = greedy(full.slice(-10), 1);
    expect(await model.generate([1, 2, 3], options)).toEqual([...full, cut[10]]);
  });

  test("rows slide one by one", async () => {
    const options = { maxNewTokens: 60, seed: 2, slidingWindow: 20 };
    const rows = await model.generate(prompts, options);
    for (const [i, prompt] of prompts.entries()) {
      expect(rows[i]).toEqual(await model.generate(prompt, { ...options, seed: 2 + i }));
    }
  });
});

describe("what is refused", () => {
  test.each<[GenerateOptions, string]>([
    [{ temperature: -1 }, "temperature must be a finite number of at least 0, got -1"],
    [{ topK: 0 }, "topK must be a positive integer, got 0"],
    [{ topP: 0 }, "topP must be in (0, 1], got 0"],
    [{ minP: 2 }, "minP must be in [0, 1], got 2"],
    [{ repetitionPenalty: 0 }, "repetitionPenalty must be a finite number above 0, got 0"],
    [{ presencePenalty: Number.NaN }, "presencePenalty must be a finite number, got NaN"],
    [{ seed: 0.5 }, "seed must be a safe integer, got 0.5"],
    [{ maxNewTokens: -1 }, "maxNewTokens must be an integer of at least 0, got -1"],
    [{ stop: [[]] }, "stop must name tokens, got []"],
    [{ slidingWindow: 65 }, "slidingWindow must be a boolean or an integer in [1, 64], got 65"],
    [{ slidingWindow: 0 }, "slidingWindow must be a boolean or an integer in [1, 64], got 0"],
  ])("%o", async (options, message) => {
    await expect(model.generate([1], options)).rejects.toThrow(`generate: ${message}.`);
  });

  test("no prompt, an empty one, one with other than ids", async () => {
    await expect(model.generate([])).rejects.toThrow(ArgumentError);
    await expect(model.generate([[1], []])).rejects.toThrow(ArgumentError);
    await expect(model.generate([0.5])).rejects.toThrow(ArgumentError);
    await expect(model.generate([19])).rejects.toThrow(IndexError);
    await expect(model.generate([2 ** 32])).rejects.toThrow("in 0 … 2^31 − 1, got 4294967296.");
    const given = tensor([1]) as unknown; // what only JavaScript lets pass
    await expect(model.generate(given as number[])).rejects.toThrow("pass await ids.array()");
    await expect(model.generate([1], { stop: "ab" as unknown as number })).rejects.toThrow(
      "generate: stop must name tokens, got [ab].",
    );
  });
});

describe("the cache", () => {
  test("makes a token cost no compiling but where its room grows", async () => {
    await model.generate([1, 2], { maxNewTokens: 40, temperature: 0 });
    const kernels = memoryStats().compiledKernels;
    const plans = memoryStats().compiledPlans;
    // Other prompts, other lengths within the same rooms, another way to choose.
    await model.generate([3, 4, 5], { maxNewTokens: 39, seed: 1, topK: 3 });
    await model.generate([5, 5, 5, 5, 5, 5, 5, 5], { maxNewTokens: 20, seed: 2 });
    expect(memoryStats().compiledKernels - kernels).toBeLessThanOrEqual(1); // random numbers
    expect(memoryStats().compiledPlans - plans).toBeLessThanOrEqual(1);
  });

  test("leaves nothing waiting that nobody asks for", async () => {
    const text = () => model.generate([3, 4, 5], { maxNewTokens: 30, temperature: 0 });
    await text();
    const { pendingNodes } = memoryStats();
    await text();
    expect(memoryStats().pendingNodes - pendingNodes).toBeLessThan(5);
  });

  test("forward with a cache is forward of the whole, in pieces of any length", async () => {
    model.eval();
    const ids = Array.from({ length: 40 }, (_, i) => (i * 7) % 19);
    const whole = await model.forward(tensor([ids, ids], { dtype: "int32" })).data();
    const cache = model.createCache({ batchSize: 2 });
    const got: number[] = [];
    let start = 0;
    for (const length of [3, 1, 1, 14, 1, 20]) {
      const piece = ids.slice(start, start + length);
      const logits = model.forward(tensor([piece, piece], { dtype: "int32" }), { cache });
      expect(logits.requiresGrad).toBe(false);
      got.push(...(await logits.select(0, 1).data()));
      start += length;
      expect(cache.lengths).toEqual([start, start]);
    }
    model.train();
    const error = got.map((value, i) => Math.abs(value - whole[i]));
    expect(got).toHaveLength(whole.length / 2);
    expect(Math.max(...error)).toBeLessThan(1e-4);
  });

  test("goes on where the cache is in a compiled function, also when its room grows", async () => {
    model.eval();
    const cache = model.createCache();
    const next = compile((token: Tensor) => noGrad(() => model.forward(token, { cache })));
    const ids = Array.from({ length: 20 }, (_, i) => (i * 7) % 19);
    const read = async (length: number) => {
      const got: number[] = [];
      for (const id of ids.slice(cache.lengths[0], length)) {
        got.push(...(await next(tensor([[id]], { dtype: "int32" })).data()));
      }
      return got;
    };
    const got = await read(20);
    expect(cache.lengths).toEqual([20]);
    cache.truncate(18);
    const again = await read(20);
    const whole = await model.forward(tensor([ids], { dtype: "int32" })).data();
    model.train();
    const error = [...got, ...again].map((value, i) =>
      Math.abs(value - whole[i < whole.length ? i : i - again.length]),
    );
    expect(again).toHaveLength(2 * 19);
    expect(Math.max(...error)).toBeLessThan(1e-4);
  });

  test("goes on from an earlier place after truncate", async () => {
    const ids = (...row: number[]) => tensor([row], { dtype: "int32" });
    const cache = model.createCache();
    model.eval();
    model.forward(ids(1, 2, 3, 4, 5), { cache });
    cache.truncate(2);
    expect(cache.lengths).toEqual([2]);
    const got = await model.forward(ids(9, 8), { cache }).data();
    const whole = await model
      .forward(ids(1, 2, 9, 8))
      .narrow(1, 2, 2)
      .data();
    model.train();
    const error = Array.from(got, (value, i) => Math.abs(value - whole[i]));
    expect(Math.max(...error)).toBeLessThan(1e-4);
  });

  test("starts again after reset, and refuses what does not fit", () => {
    const cache = model.createCache({ batchSize: 1 });
    const ids = tensor([Array.from({ length: 60 }, () => 1)], { dtype: "int32" });
    const more = tensor([[1, 2, 3, 4, 5]], { dtype: "int32" });
    model.forward(ids, { cache });
    expect(() => model.forward(more, { cache })).toThrow(
      "forward: a sequence must have at most maxSeqLen = 64 tokens, got 60 in the cache and up to 5 more.",
    );
    expect(cache.lengths).toEqual([60]);
    cache.reset();
    model.forward(more, { cache });
    expect(cache.lengths).toEqual([5]);
    const two = tensor([[1], [2]], { dtype: "int32" });
    expect(() => model.forward(two, { cache })).toThrow(
      "forward: ids must have a row for each of the cache's 1, got [2, 1].",
    );
    expect(() => model.forward(more, { cache, lengths: [6] })).toThrow(
      "forward: lengths must be 1 integers in [0, 5], got 6.",
    );
    expect(() => model.forward(more, { lengths: [5] })).toThrow(
      "forward: lengths must come with a cache, got none.",
    );
  });
});
