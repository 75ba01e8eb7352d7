import { ArgumentError, arange, manualSeed, StateError, tensor } from "@gradloom/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DataError,
  DataLoader,
  type DataLoaderState,
  Dataset,
  IterableDataset,
  TensorDataset,
} from "../src/index.ts";

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);
const text = { collate: (items: number[]) => items.join(" ") };

async function read<B>(loader: AsyncIterable<B>): Promise<B[]> {
  const batches: B[] = [];
  for await (const batch of loader) batches.push(batch);
  return batches;
}

class Counter extends IterableDataset<number> {
  closed = 0;
  made = 0;
  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    try {
      for (let i = 0; i < 10; i++) {
        this.made += 1;
        yield i;
      }
    } finally {
      this.closed += 1;
    }
  }
}

describe("DataLoader", () => {
  test("cuts a dataset into batches, in order", async () => {
    const loader = new DataLoader(numbers(7), { batchSize: 3, ...text });
    expect(loader.length).toBe(3);
    expect(await read(loader)).toEqual(["0 1 2", "3 4 5", "6"]);
    expect(await read(new DataLoader(numbers(2), text))).toEqual(["0", "1"]);
    expect(await read(new DataLoader(numbers(0), text))).toEqual([]);
  });

  test("drops a last batch that is not full, if asked", async () => {
    const loader = new DataLoader(numbers(7), { batchSize: 3, dropLast: true, ...text });
    expect(loader.length).toBe(2);
    expect(await read(loader)).toEqual(["0 1 2", "3 4 5"]);
  });

  test("shuffles each epoch in another way, which the seed fixes on every machine", async () => {
    const loader = new DataLoader(numbers(8), { batchSize: 8, shuffle: true, seed: 1, ...text });
    expect([...(await read(loader)), ...(await read(loader))]).toEqual([
      "3 5 0 2 7 1 6 4",
      "2 1 4 5 0 3 7 6",
    ]);
    const again = new DataLoader(numbers(8), { batchSize: 8, shuffle: true, seed: 1, ...text });
    expect((await read(again))[0]).toBe("3 5 0 2 7 1 6 4");
  });

  test("takes its seed from manualSeed if it has none", async () => {
    const options = { batchSize: 50, shuffle: true, ...text };
    const epoch = async (seed: number) => {
      const loader = new DataLoader(numbers(50), options);
      manualSeed(seed);
      return (await read(loader))[0];
    };
    expect(await epoch(3)).toBe(await epoch(3));
    expect(await epoch(4)).not.toBe(await epoch(3));
  });

  test("all items come once an epoch (property)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.maxSafeInteger(),
        fc.integer({ min: 0, max: 3 }),
        async (count, batchSize, seed, prefetchFactor) => {
          const options = { batchSize, shuffle: true, seed, prefetchFactor };
          const collate = (items: number[]) => items;
          const loader = new DataLoader(numbers(count), { ...options, collate });
          for (let epoch = 0; epoch < 2; epoch++) {
            const items = (await read(loader)).flat();
            expect(items.sort((a, b) => a - b)).toEqual(numbers(count));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("goes on anywhere as if nothing had happened (property)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 0, max: 3 }),
        async (count, batchSize, dropLast, stop, prefetchFactor) => {
          const options = { batchSize, dropLast, shuffle: true, ...text };
          const epochs = 3;
          /** Takes batches from where the loader is, each with its epoch. */
          const run = async (
            loader: DataLoader<number, string>,
            first: number,
            onBatch: (seen: number) => boolean,
          ) => {
            const seen: string[] = [];
            for (let epoch = first; epoch < epochs; epoch++) {
              for await (const batch of loader) {
                seen.push(`${epoch}: ${batch}`);
                if (onBatch(seen.length)) return seen;
              }
            }
            return seen;
          };
          const seed = 9;
          const whole = await run(
            new DataLoader(numbers(count), { ...options, seed }),
            0,
            () => false,
          );
          const first = new DataLoader(numbers(count), { ...options, seed, prefetchFactor });
          let kept: DataLoaderState = first.stateDict();
          const before = await run(first, 0, (seen) => {
            if (seen <= stop) kept = first.stateDict();
            return seen >= stop;
          });
          const second = new DataLoader(numbers(count), options);
          second.loadStateDict(JSON.parse(JSON.stringify(kept)));
          const after = await run(second, kept.epoch, () => false);
          expect([...before.slice(0, stop), ...after]).toEqual(whole);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("an iteration that was left is not gone on with, unless its state is loaded", async () => {
    const loader = new DataLoader(numbers(6), { batchSize: 2, ...text });
    for await (const _ of loader) break;
    const state = loader.stateDict();
    expect(state).toMatchObject({ epoch: 0, batch: 1, batchSize: 2 });
    expect(await read(loader)).toEqual(["0 1", "2 3", "4 5"]);
    expect(loader.stateDict()).toMatchObject({ epoch: 2, batch: 0 });
    loader.loadStateDict(state);
    expect(await read(loader)).toEqual(["2 3", "4 5"]);
  });

  test("refuses states that are none, or of other batches", () => {
    const loader = new DataLoader(numbers(6), { batchSize: 2 });
    const state = { seed: 1, epoch: 0, batch: 2, batchSize: 3 };
    expect(() => loader.loadStateDict(state)).toThrow(
      "DataLoader: the state must be of batches of 2, got 2 batches of 3. Resume with the batch size of the run, or at the end of an epoch.",
    );
    expect(() => loader.loadStateDict({ ...state, batch: -1 })).toThrow(StateError);
    loader.loadStateDict({ ...state, batch: 0 });
    expect(loader.stateDict()).toEqual({ seed: 1, epoch: 0, batch: 0, batchSize: 2 });
  });

  test("gives each item a seed of its own in each epoch, the same when resumed", async () => {
    class Seeds extends Dataset<number> {
      readonly length = 6;
      get(_index: number, seed: number): number {
        return seed;
      }
    }
    const collate = (items: number[]) => items;
    const options = { batchSize: 2, seed: 7, collate };
    const loader = new DataLoader(new Seeds(), options);
    const seeds = [...(await read(loader)), ...(await read(loader))];
    expect(new Set(seeds.flat()).size).toBe(12);
    expect(seeds.flat().every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true);
    const resumed = new DataLoader(new Seeds(), options);
    resumed.loadStateDict({ seed: 7, epoch: 1, batch: 1, batchSize: 2 });
    expect(await read(resumed)).toEqual(seeds.slice(4));
  });

  test("makes as many batches in advance as it may", async () => {
    const dataset = new Counter();
    const loader = new DataLoader(dataset, { batchSize: 2, prefetchFactor: 2, ...text });
    const iteration = loader[Symbol.asyncIterator]();
    await iteration.next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(dataset.made).toBe(6);
    await iteration.return();
    await new Promise((resolve) => setImmediate(resolve));
    expect(dataset.closed).toBe(1);
  });

  test("says how long it was waited for", async () => {
    const loader = new DataLoader(numbers(6), { batchSize: 2, ...text });
    await read(loader);
    expect(loader.stats.batches).toBe(3);
    expect(loader.stats.waited).toBeGreaterThan(0);
  });

  test("says which item of which dataset failed", async () => {
    class Broken extends Dataset<number> {
      readonly length = 5;
      get(index: number): number {
        if (index === 3) throw new RangeError("too dark");
        return index;
      }
    }
    const loader = new DataLoader(new Broken(), { batchSize: 2 });
    const error = await read(loader).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject({
      message: "DataLoader: item 3 of Broken must be readable, got RangeError: too dark",
      item: 3,
      cause: { message: "too dark" },
    });
    expect(loader.stateDict()).toMatchObject({ epoch: 0, batch: 1 });
  });

  test.each([
    [{ batchSize: 0 }, "batchSize must be an integer of at least 1, got 0"],
    [{ batchSize: 1.5 }, "batchSize must be an integer of at least 1, got 1.5"],
    [{ numWorkers: -1 }, "numWorkers must be an integer of at least 0, got -1"],
    [{ seed: 0.5 }, `seed must be an integer of at least ${Number.MIN_SAFE_INTEGER}, got 0.5`],
    [
      { shuffle: true, sampler: { length: 1, order: () => [0] } },
      "shuffle must be left to the sampler, got both",
    ],
  ])("refuses %j", (options, message) => {
    const make = () => new DataLoader(numbers(3), options);
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(`DataLoader: ${message}.`);
  });
});

describe("DataLoader of an IterableDataset", () => {
  test("takes items as they come, from the start in each epoch, and closes the stream", async () => {
    const dataset = new Counter();
    const loader = new DataLoader(dataset, { batchSize: 4, ...text });
    expect(loader.length).toBeUndefined();
    expect(await read(loader)).toEqual(["0 1 2 3", "4 5 6 7", "8 9"]);
    for await (const _ of loader) break;
    expect(dataset.closed).toBe(2);
  });

  test("resumes by skipping what was taken", async () => {
    const loader = new DataLoader(new Counter(), { batchSize: 4, dropLast: true, ...text });
    loader.loadStateDict({ seed: 0, epoch: 0, batch: 1, batchSize: 4 });
    expect(await read(loader)).toEqual(["4 5 6 7"]);
    expect(await read(loader)).toEqual(["0 1 2 3", "4 5 6 7"]);
  });

  test("refuses what needs indices", () => {
    expect(() => new DataLoader(new Counter(), { shuffle: true })).toThrow(
      "DataLoader: a dataset without indices must be taken in its order and by this thread",
    );
  });
});

describe("TensorDataset", () => {
  test("has rows as items and gathers rows as batches", async () => {
    const x = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const dataset = new TensorDataset(x, arange(3).mul(10));
    expect(dataset.length).toBe(3);
    const [row, label] = dataset.get(1);
    expect([await row.array(), await label.item()]).toEqual([[3, 4], 10]);
    const sampler = { length: 2, order: () => [2, 0] };
    for await (const [rows, labels] of new DataLoader(dataset, { batchSize: 2, sampler })) {
      expect([rows.shape, labels.dtype]).toEqual([[2, 2], "int32"]);
      expect(await rows.array()).toEqual([
        [5, 6],
        [1, 2],
      ]);
      expect(await labels.array()).toEqual([20, 0]);
      expect(rows.requiresGrad).toBe(false);
    }
  });

  test("refuses tensors of other lengths", () => {
    expect(() => new TensorDataset(arange(3), arange(4))).toThrow(
      "TensorDataset: tensors must have the same first size, got [3] and [4].",
    );
    expect(() => new TensorDataset(tensor(1))).toThrow("got [].");
    expect(() => new TensorDataset()).toThrow("TensorDataset: tensors must be given, got none.");
  });
});
