import { expect, test } from "vitest";
import { resample, terminalPlot } from "../src/terminal-plot.ts";

const labels = ["0", "step", "100"] as const;

test("draws a falling line, with its axis and labels", () => {
  const values = Array.from({ length: 101 }, (_, i) => 100 - i);
  const lines = terminalPlot({ title: "loss", values, labels, height: 4 }).split("\n");
  expect(lines).toHaveLength(7);
  expect(lines[0].trim()).toBe("loss");
  expect(lines[1]).toMatch(/^ +100 ┼─+╮/);
  expect(lines[5]).toMatch(/^ +0 ┤ +╰─+/);
  expect(lines[6].trim()).toMatch(/^0 +step +100$/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(79);
});

test("a logarithmic axis is labelled with the values themselves", () => {
  const values = [1000, 100, 10, 1];
  const lines = terminalPlot({ title: "", values, labels, height: 3, logarithmic: true }).split(
    "\n",
  );
  expect(lines.slice(1, 5).map((line) => line.slice(0, 8).trim())).toEqual([
    "1000",
    "100",
    "10",
    "1",
  ]);
});

test("resample keeps the ends and interpolates between", () => {
  expect(resample([0, 10], 5)).toEqual([0, 2.5, 5, 7.5, 10]);
  expect(resample([3, 1, 2], 3)).toEqual([3, 1, 2]);
});
