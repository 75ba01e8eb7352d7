import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { fitChart, lossChart, movingAverage, type RunResult, thinned } from "../src/charts.ts";
import { toPng } from "../src/png.ts";
import { curvePoints, type Samples, trueCurve } from "../src/samples.ts";

function samples(count: number): Samples {
  const x = Float32Array.from({ length: count }, (_, i) => -3 + (6 * i) / (count - 1));
  return { x, y: x.map((value, i) => trueCurve(value) + 0.05 * Math.sin(i)) };
}

const run: RunResult = {
  training: samples(40),
  heldOut: samples(20),
  noise: 0.05,
  curve: curvePoints.map((x) => trueCurve(x) + 0.02),
  rmse: 0.0541,
  losses: Array.from({ length: 100 }, (_, i) => 100 * 0.9 ** i),
  description: "1–4–1 & <others>",
};

const texts = (svg: string) =>
  [...parseHTML(svg).document.querySelectorAll("text")].map((node) => node.textContent);

test("the picture of the fit shows all samples, both curves and the residuals", () => {
  const svg = fitChart(run);
  const { document } = parseHTML(svg);
  // Training and held-out samples stand in both plots, one dot in the legend for each.
  expect(document.querySelectorAll("circle")).toHaveLength(2 * (40 + 20) + 2);
  expect(document.querySelectorAll('g[aria-label="line"] path')).toHaveLength(3);
  expect(texts(svg)).toEqual(
    expect.arrayContaining([
      "An MLP learns y = 3x² + 5",
      "1–4–1 & <others> · held-out RMSE 0.0541",
      "training samples",
      "held-out samples",
      "x",
      "↑ y",
      "↑ difference from 3x² + 5",
    ]),
  );
});

test("the picture of the loss has decades, a moving average and the noise floor", () => {
  const svg = lossChart(run);
  expect(texts(svg)).toEqual(
    expect.arrayContaining(["step", "100", "10", "1", "0.1", "0.01", "noise, σ² = 0.0025"]),
  );
  const { document } = parseHTML(svg);
  expect(document.querySelectorAll('g[aria-label="line"] path')).toHaveLength(2);
  expect(document.querySelectorAll('g[aria-label="rule"] line')).toHaveLength(1);
});

test("pictures of a run without noise, and of one step, can be drawn", () => {
  const noiseless = { ...run, noise: 0, losses: [2] };
  expect(texts(fitChart(noiseless)).join()).not.toContain("noise");
  expect(texts(lossChart(noiseless)).join()).not.toContain("noise");
  for (const svg of [fitChart(noiseless), lossChart(noiseless)]) expect(svg).not.toContain("NaN");
});

test("a PNG has twice the size of its SVG, and text in it without a font on the machine", async () => {
  const svg = (text: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20"><text y="15">${text}</text></svg>`;
  const png = await toPng(svg("x² σ −"));
  const view = new DataView(png.buffer, png.byteOffset);
  expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  expect([view.getUint32(16), view.getUint32(20)]).toEqual([120, 40]);
  expect(png.length).toBeGreaterThan((await toPng(svg(""))).length + 100);
});

test("the moving average reaches to both sides, less far towards the ends", () => {
  expect(movingAverage([1, 2, 3, 10, 0], 1)).toEqual([1, 2, 5, 13 / 3, 0]);
  expect(movingAverage([1, 2, 3, 10, 0], 9)).toEqual([1, 2, 3.2, 13 / 3, 0]);
  expect(movingAverage([1, 2], 0)).toEqual([1, 2]);
});

test("large runs are thinned, and the picture says so", () => {
  expect(thinned([1, 2, 3, 4, 5], 3)).toEqual([1, 3, 5]);
  expect(thinned([1, 2], 3)).toEqual([1, 2]);
  const large = { ...run, training: samples(5000), losses: new Array<number>(50_000).fill(1) };
  expect(texts(fitChart(large))).toContain("training samples (1,024 shown)");
  expect(lossChart(large).length).toBeLessThan(200_000);
});
