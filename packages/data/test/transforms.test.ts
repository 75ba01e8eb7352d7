import { describe, expect, test } from "vitest";
import { DataLoader, mapDataset, type NdArray, Random, scalar, transforms } from "../src/index.ts";

const picture = (rows: number[][]): NdArray<Uint8Array> => ({
  data: Uint8Array.from(rows.flat()),
  shape: [1, rows.length, rows[0].length],
});
const rows = ({ data, shape }: NdArray) =>
  Array.from({ length: shape[1] }, (_, y) =>
    Array.from(data.slice(y * shape[2], (y + 1) * shape[2])),
  );
const small = picture([
  [1, 2, 3],
  [4, 5, 6],
]);
const random = () => new Random(3);

describe("transforms", () => {
  test("flip, always and never", () => {
    expect(rows(transforms.randomHorizontalFlip(1)(small, random()))).toEqual([
      [3, 2, 1],
      [6, 5, 4],
    ]);
    expect(rows(transforms.randomVerticalFlip(1)(small, random()))).toEqual([
      [4, 5, 6],
      [1, 2, 3],
    ]);
    expect(transforms.randomHorizontalFlip(0)(small, random())).toBe(small);
  });

  test("crop: every part comes, and what was padded is 0", () => {
    const crop = transforms.randomCrop<NdArray<Uint8Array>>([1, 2]);
    const seen = new Set(
      Array.from({ length: 60 }, (_, seed) => rows(crop(small, new Random(seed))).join()),
    );
    expect([...seen].sort()).toEqual(["1,2", "2,3", "4,5", "5,6"]);
    expect(rows(transforms.centerCrop([2, 1])(small, random()))).toEqual([[2], [5]]);
    expect(rows(transforms.centerCrop([4, 3])(small, random()))).toEqual([
      [0, 0, 0],
      [1, 2, 3],
      [4, 5, 6],
      [0, 0, 0],
    ]);
    expect(() => transforms.randomCrop(3)(small, random())).toThrow(
      "randomCrop: the padded picture must be at least [3, 3], got [2, 3].",
    );
    expect(transforms.randomCrop(3, { padding: 1 })(small, random()).shape).toEqual([1, 3, 3]);
  });

  test("rotation by 0 changes nothing, by a half turn a square turns", () => {
    expect(rows(transforms.randomRotation(0)(small, random()))).toEqual(rows(small));
    class Half extends Random {
      override uniform(): number {
        return 180;
      }
    }
    const turn = transforms.randomRotation<NdArray<Uint8Array>>(180);
    expect(rows(turn(small, new Half()))).toEqual([
      [6, 5, 4],
      [3, 2, 1],
    ]);
  });

  test("resize interpolates as PyTorch does", () => {
    const wide = { data: Float32Array.of(0, 1, 2, 3), shape: [1, 2, 2] };
    // torch.nn.functional.interpolate([[0, 1], [2, 3]], (2, 4), mode="bilinear")
    expect(rows(transforms.resize([2, 4])(wide, random()))).toEqual([
      [0, 0.25, 0.75, 1],
      [2, 2.25, 2.75, 3],
    ]);
    expect(transforms.resize(5)(small, random()).shape).toEqual([1, 5, 5]);
  });

  test("to floats, normalized, with noise, as a tensor, as a one-hot vector", async () => {
    const floats = transforms.toFloat()(picture([[0, 255]]), random());
    expect(rows(floats)).toEqual([[0, 1]]);
    expect(rows(transforms.normalize([0.5], [0.25])(floats, random()))).toEqual([[-2, 2]]);
    expect(() => transforms.normalize([1, 2], 1)(floats, random())).toThrow("1 channels, got 2");
    const many = { data: new Float32Array(10_000), shape: [1, 100, 100] };
    const { data } = transforms.gaussianNoise(2)(many, random());
    const variance = data.reduce((sum, x) => sum + x * x, 0) / data.length;
    expect(variance).toBeGreaterThan(3.8);
    expect(variance).toBeLessThan(4.2);
    expect(
      await transforms
        .toTensor()(picture([[0, 255]]), random())
        .array(),
    ).toEqual([[[0, 1]]]);
    expect(Array.from(transforms.oneHot(3)(1, random()))).toEqual([0, 1, 0]);
    expect(() => transforms.oneHot(3)(3, random())).toThrow("a class must be in 0 … 2, got 3");
  });

  test("get other random numbers for each item and epoch, the same when resumed", async () => {
    const augment = transforms.compose<NdArray<Float32Array>>(
      transforms.gaussianNoise(1),
      transforms.randomHorizontalFlip(),
    );
    const item = { data: new Float32Array(4), shape: [1, 1, 4] };
    const dataset = mapDataset({ length: 4, get: () => item }, (x, r) => [
      augment(x, r),
      scalar(7),
    ]);
    const options = { batchSize: 2, seed: 5 };
    const loader = new DataLoader(dataset, options);
    const seen: string[] = [];
    for (let epoch = 0; epoch < 2; epoch++) {
      for await (const [x] of loader) seen.push(String(await x.array()));
    }
    expect(new Set(seen).size).toBe(4);
    const resumed = new DataLoader(dataset, options);
    resumed.loadStateDict({ seed: 5, epoch: 1, batch: 1, batchSize: 2 });
    for await (const [x, label] of resumed) {
      expect(String(await x.array())).toBe(seen[3]);
      expect(await label.array()).toEqual([7, 7]);
    }
  });
});
