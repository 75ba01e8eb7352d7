import { manualSeed } from "@gradloom/tensor";
import { UNet } from "@gradloom/unet";
import { expect, test } from "vitest";
import { toPng } from "../src/png.ts";
import {
  chooseScenes,
  countOfScenes,
  kinds,
  SceneArtist,
  sceneSide,
  tensorsOf,
} from "../src/scenes.ts";
import { intersectionOverUnion, labelsOf, mean, WithoutSkips } from "../src/segmentation.ts";
import { labellingsFigure } from "../src/segmentation-figures.ts";

test("an artist draws the same pictures for a seed, others for another, and every kind of shape", () => {
  const scenes = new SceneArtist(3, 0.08).draw(8);
  expect(countOfScenes(scenes)).toBe(8);
  expect(new SceneArtist(3, 0.08).draw(8)).toEqual(scenes);
  expect(new SceneArtist(4, 0.08).draw(8).labels).not.toEqual(scenes.labels);
  expect([...new Set(scenes.labels)].sort()).toEqual(kinds.map((_, label) => label));
  expect(tensorsOf(chooseScenes(scenes, 2, 5)).x.shape).toEqual([3, 3, sceneSide, sceneSide]);
});

test("shapes and ground share their colours: the means of red are alike", () => {
  const { pictures, labels } = new SceneArtist(1, 0).draw(200);
  const pixels = sceneSide * sceneSide;
  const sums = kinds.map(() => ({ red: 0, count: 0 }));
  labels.forEach((label, i) => {
    sums[label].red += pictures[Math.floor(i / pixels) * 3 * pixels + (i % pixels)];
    sums[label].count += 1;
  });
  for (const { red, count } of sums) expect(Math.abs(red / count - 0.5)).toBeLessThan(0.08);
});

test("intersection over union, by hand", () => {
  const scores = intersectionOverUnion(Int32Array.of(0, 0, 1, 1), Int32Array.of(0, 1, 1, 1));
  expect(scores.slice(0, 2)).toEqual([1 / 2, 2 / 3]);
  expect(scores.slice(2)).toEqual([1, 1, 1]);
  expect(mean([1, 2, 6])).toBe(3);
});

test("without its skip connections a U-Net of the same parameters says something else; both can be drawn", async () => {
  manualSeed(0);
  const unet = new UNet({ inChannels: 3, numClasses: kinds.length, baseChannels: 4, depth: 2 });
  const cut = new WithoutSkips(unet);
  expect(cut.numParameters).toBe(unet.numParameters);
  const scenes = new SceneArtist(0, 0.1).draw(2);
  const { x } = tensorsOf(scenes);
  expect(await cut.eval().forward(x).data()).not.toEqual(await unet.eval().forward(x).data());
  const labels = await labelsOf(cut, scenes);
  const svg = labellingsFigure(scenes, [{ name: "without skips", labels }], 2);
  expect(svg).not.toMatch(/NaN|undefined/);
  expect((await toPng(svg)).length).toBeGreaterThan(1000);
});
