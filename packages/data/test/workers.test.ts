import type { Tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { DataError, DataLoader, loadDataset, randomSplit } from "../src/index.ts";

interface Square {
  index: number;
  square: Float32Array;
  name: string;
  seed: number;
  thread: number;
}

const url = new URL("./fixtures/squares.mjs", import.meta.url);
const squares = (...args: unknown[]) => loadDataset<Square>(url, { args });

async function read(loader: DataLoader<Square>): Promise<unknown[]> {
  const batches: unknown[] = [];
  for await (const { index, square, name, seed } of loader) {
    batches.push([await index.array(), await square.array(), name, await seed.array()]);
  }
  return batches;
}

describe("DataLoader with workers", () => {
  test("gives the same batches in the same order as without, for any number of workers", async () => {
    const dataset = await squares(11);
    const options = { batchSize: 3, shuffle: true, seed: 5 };
    const expected = await read(new DataLoader(dataset, options));
    for (const numWorkers of [1, 3]) {
      expect(await read(new DataLoader(dataset, { ...options, numWorkers }))).toEqual(expected);
    }
    expect(expected.length).toBe(4);
  });

  test("makes items in other threads, several at a time", async () => {
    const loader = new DataLoader(await squares(8, { delay: 5 }), { batchSize: 1, numWorkers: 2 });
    const threads = new Set<number>();
    for await (const { thread } of loader) threads.add(await thread.item());
    expect(threads.has(0)).toBe(false);
    expect(threads.size).toBe(2);
  });

  test("hands tensors over with shape and dtype, and takes the dataset's own batches", async () => {
    const dataset = await loadDataset<{ x: Tensor }>(url, { factory: "matrices", args: [4] });
    const loader = new DataLoader(dataset, { batchSize: 2, numWorkers: 1 });
    const batches: unknown[] = [];
    for await (const { x } of loader) batches.push([x.dtype, x.shape, await x.array()]);
    const rows = (...numbers: number[]) => numbers.map((i) => [i, 2 * i]);
    expect(batches).toEqual([
      ["int32", [2, 2], rows(0, 1)],
      ["int32", [2, 2], rows(2, 3)],
    ]);
  });

  test("leaves the dataset its arrays: an item may come twice", async () => {
    const sampler = { length: 4, order: () => [2, 2, 1, 2] };
    const loader = new DataLoader(await squares(3), { sampler, numWorkers: 1 });
    const values: unknown[] = [];
    for await (const { square } of loader) values.push(await square.select(1, 0).item());
    expect(values).toEqual([4, 4, 1, 4]);
  });

  test("collates in this thread with a function that is given", async () => {
    const collate = (items: Square[]) => items.map(({ name }) => name).join(" ");
    const loader = new DataLoader(await squares(3), { batchSize: 2, numWorkers: 1, collate });
    const texts: string[] = [];
    for await (const text of loader) texts.push(text);
    expect(texts).toEqual(["0² 1²", "2²"]);
  });

  test("works on parts, and on parts of parts", async () => {
    const [half] = randomSplit(await squares(12), [6, 6], { seed: 1 });
    const [quarter] = randomSplit(half, [3, 3], { seed: 2 });
    const options = { batchSize: 2, seed: 0 };
    const plain = await read(new DataLoader(quarter, options));
    expect(await read(new DataLoader(quarter, { ...options, numWorkers: 2 }))).toEqual(plain);
  });

  test("throws what failed in a worker, with item and dataset, after the batches before it", async () => {
    const loader = new DataLoader(await squares(9, { failsAt: 7 }), {
      batchSize: 2,
      numWorkers: 2,
    });
    let taken = 0;
    const reading = (async () => {
      for await (const _ of loader) taken += 1;
    })();
    const error = await reading.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).item).toBe(7);
    expect((error as DataError).message).toBe(
      `DataLoader: item 7 of default of ${url} must be readable, got TypeError: no square of 7`,
    );
    expect((error as DataError).cause).toMatchObject({ name: "TypeError" });
    expect(String(((error as DataError).cause as Error).stack)).toContain("squares.mjs");
    expect(taken).toBe(3);
    expect(loader.stateDict().batch).toBe(3);
  });

  test("says when a worker has ended by itself", async () => {
    // `process.exit` ends only the thread in a worker; here it would end the test.
    const loader = new DataLoader(await squares(4, { exitsAt: 2 }), { numWorkers: 1 });
    await expect(read(loader)).rejects.toThrow(
      /^DataLoader: worker 0 must live as long as the iteration, got its end with code 3\./,
    );
  });

  test("asks for no more batches in advance than it may", async () => {
    const counter = new SharedArrayBuffer(4);
    const made = new Int32Array(counter);
    const dataset = await squares(400, { counter });
    const options = { batchSize: 2, numWorkers: 2, prefetchFactor: 2 };
    let taken = 0;
    for await (const { index } of new DataLoader(dataset, options)) {
      await index.data();
      taken += 1;
      expect(Atomics.load(made, 0)).toBeLessThanOrEqual(2 * (taken + 4));
      if (taken === 20) break;
    }
    // Nothing is made any more once the iteration has been left.
    expect(Atomics.load(made, 0)).toBeLessThanOrEqual(2 * (taken + 4));
    expect(Atomics.load(made, 0)).toBeGreaterThanOrEqual(2 * taken);
  });

  test("resumes behind what was taken, not behind what was made in advance", async () => {
    const dataset = await squares(20);
    const options = { batchSize: 2, shuffle: true, seed: 3, numWorkers: 2 };
    const loader = new DataLoader(dataset, options);
    const whole = await read(new DataLoader(dataset, options));
    for await (const { index } of loader) {
      await index.data();
      if (loader.stateDict().batch === 4) break;
    }
    const resumed = new DataLoader(dataset, options);
    resumed.loadStateDict(JSON.parse(JSON.stringify(loader.stateDict())));
    expect(await read(resumed)).toEqual(whole.slice(4));
  });

  test("refuses what cannot reach a worker", () => {
    expect(() => new DataLoader([1, 2], { numWorkers: 1 })).toThrow(
      "DataLoader: a dataset for workers must be one of loadDataset, or a subset of one, because nothing else reaches another thread, got another one.",
    );
  });

  test("keeps no process alive, also when an iteration was left open", async () => {
    const active = () => process.getActiveResourcesInfo().filter((name) => name !== "Timeout");
    const before = active();
    const open = new DataLoader(await squares(9), { numWorkers: 2 })[Symbol.asyncIterator]();
    await open.next();
    expect(active()).toEqual(before);
    await open.return();
  });
});

describe("loadDataset", () => {
  test.each([
    [{ factory: "notAFunction" }, /must export a function notAFunction, got .*matrices/],
    [{ factory: "missing" }, /must export a function missing/],
    [{ factory: "broken" }, /must make a dataset, got no such folder\./],
  ])("refuses %j", async (options, message) => {
    await expect(loadDataset(url, options)).rejects.toThrow(message);
  });

  test("says which module cannot be loaded", async () => {
    await expect(loadDataset("file:///nowhere.mjs")).rejects.toThrow(
      /^loadDataset: the module file:\/\/\/nowhere.mjs must make a dataset, got /,
    );
  });
});
