import { Generator, manualSeed } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { drawSums, errorWithoutMemory, fitReader, SequenceReader } from "../src/adding.ts";

test("a sequence marks one number in each half, and its target is their sum", async () => {
  const { x, y } = drawSums(50, 10, new Generator(0));
  const [values, sums] = [await x.data(), await y.data()];
  for (let i = 0; i < 50; i++) {
    const pairs = Array.from({ length: 10 }, (_, t) => [20 * i + 2 * t, 20 * i + 2 * t + 1]);
    const marked = pairs.flatMap(([, mark], t) => (values[mark] === 1 ? [t] : []));
    expect(marked).toHaveLength(2);
    expect(marked[0]).toBeLessThan(5);
    expect(marked[1]).toBeGreaterThanOrEqual(5);
    expect(sums[i]).toBeCloseTo(
      Number(values[pairs[marked[0]][0]]) + Number(values[pairs[marked[1]][0]]),
      5,
    );
  }
});

test("a short problem is learned", async () => {
  manualSeed(0);
  const points = await fitReader(new SequenceReader("lstm", 16), {
    steps: 400,
    batchSize: 32,
    lr: 0.01,
    length: 6,
    seed: 0,
    signal: new AbortController().signal,
    onStep: () => {},
  });
  expect(points).toHaveLength(8);
  expect(points[7].error).toBeLessThan(errorWithoutMemory / 5);
});
