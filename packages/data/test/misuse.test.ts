import { ArgumentError, IndexError, ones, tensor } from "@gradloom/tensor";
import { expect, test } from "vitest";
import {
  amplitudeToDb,
  DataLoader,
  decodeIdx,
  decodeImage,
  decodeWav,
  ImageFolder,
  mapDataset,
  melFilterbank,
  melSpectrogram,
  parseCsv,
  Random,
  randomSplit,
  Subset,
  scalar,
  spectrogram,
  TensorDataset,
  TextDataset,
  transforms,
} from "../src/index.ts";

const list = ["a", "b", "c", "d"];

test("a list is a dataset wherever one is taken", async () => {
  const seen: string[] = [];
  const parts = randomSplit(list, [0.5, 0.5], { seed: 0 });
  for (const part of parts) {
    const shouted = mapDataset(part, (item) => item.toUpperCase());
    for await (const batch of new DataLoader(shouted, { batchSize: 2 })) seen.push(...batch);
  }
  expect(seen.sort()).toEqual(["A", "B", "C", "D"]);
  expect(new Subset(list, [2]).get(0, 0)).toBe("c");
  expect(await mapDataset(list, (item) => item + item).get(1, 0)).toBe("bb");
});

test.each([undefined, 3, { length: 2 }, tensor([1])])(
  "what is no dataset is refused: %o",
  (given) => {
    const wrong = given as never;
    const rule = "the dataset must be a list, or have length and get";
    expect(() => new DataLoader(wrong)).toThrow(
      `DataLoader: ${rule}, or be an async iterable, got`,
    );
    expect(() => new Subset(wrong, [])).toThrow(`Subset: ${rule}, got`);
    expect(() => randomSplit(wrong, [1])).toThrow(`randomSplit: ${rule}, got`);
    expect(() => mapDataset(wrong, (item) => item)).toThrow(`mapDataset: ${rule}, got`);
  },
);

test("indices of a subset must be in the dataset", () => {
  expect(() => new Subset(list, [0, 4])).toThrow(IndexError);
  expect(() => new Subset(list, [0, 4])).toThrow("Subset: an index must be in 0 … 3, got 4.");
  expect(() => new Subset(list, [-1])).toThrow("got -1");
});

test("other arguments that would fail later, or be nonsense", () => {
  const wrong = (value: unknown) => value as never;
  expect(() => new DataLoader(list, { collate: wrong(3) })).toThrow("collate must be a function");
  expect(() => new DataLoader(list, { sampler: wrong(3) })).toThrow("sampler must have length and");
  expect(() => new DataLoader(list).loadStateDict(wrong(undefined))).toThrow("the state must have");
  expect(() => mapDataset(list, wrong(3))).toThrow("transform must be a function");
  expect(() => randomSplit(list, wrong(3))).toThrow("lengths must be counts that sum to 4");
  expect(() => new TensorDataset(wrong([1]))).toThrow("TensorDataset: it must be given a tensor");
  expect(() => spectrogram(wrong([1]))).toThrow("spectrogram: it must be given a tensor");
  expect(() => scalar(0.5)).toThrow("scalar: a class must be an integer of 32 bits, got 0.5");
  expect(() => new Random(wrong("a"))).toThrow("Random: a seed must be an integer");
  expect(() => new TextDataset(wrong("text"), { blockSize: 2 })).toThrow("Encode a text first");
  expect(() => new TextDataset([1, 2, 3], wrong(undefined))).toThrow(ArgumentError);
});

test("bytes are a Uint8Array", async () => {
  const buffer = new ArrayBuffer(9) as never;
  const rule =
    "the bytes must be a Uint8Array, got [object ArrayBuffer]. Pass new Uint8Array(buffer).";
  await expect(decodeIdx(buffer)).rejects.toThrow(`decodeIdx: ${rule}`);
  await expect(decodeImage(buffer)).rejects.toThrow(`decodeImage: ${rule}`);
  expect(() => decodeWav(buffer)).toThrow(`decodeWav: ${rule}`);
});

test("options that there are not are refused, where they were ignored", async () => {
  const options = { n_fft: 512 } as never;
  const calls: Record<string, () => unknown> = {
    amplitudeToDb: () => amplitudeToDb(ones([2]), options),
    melFilterbank: () => melFilterbank(64, options),
    melSpectrogram: () => melSpectrogram(ones([999]), options),
    parseCsv: () => parseCsv("a,b", options),
    randomCrop: () => transforms.randomCrop(2, options),
    randomSplit: () => randomSplit(list, [2, 2], options),
    spectrogram: () => spectrogram(ones([999]), options),
  };
  for (const [name, call] of Object.entries(calls)) {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(new RegExp(`^${name}: options must be among .*, got n_fft\\.$`));
  }
  await expect(ImageFolder.open("nowhere", options)).rejects.toThrow(
    "ImageFolder: options must be among decode, got n_fft.",
  );
  expect(() => melFilterbank(64, { melScale: "mel" as never })).toThrow(
    'melFilterbank: melScale must be "htk" or "slaney", got mel',
  );
  expect(() => amplitudeToDb(ones([2]), { stype: "amplitude" as never })).toThrow(
    'amplitudeToDb: stype must be "power" or "magnitude", got amplitude',
  );
});
