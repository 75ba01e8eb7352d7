import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createProgress } from "../src/progress.ts";

function run(steps: number, terminal: boolean): string {
  const stream = new PassThrough();
  if (terminal) Object.assign(stream, { isTTY: true, columns: 100 });
  const progress = createProgress(stream, steps);
  for (let step = 1; step <= steps; step++) progress.update(step, 1 / step);
  progress.stop();
  return stream.read()?.toString() ?? "";
}

test("where there is no terminal, about ten plain lines", () => {
  const lines = run(100, false).split("\n");
  expect(lines).toHaveLength(12);
  expect(lines[0]).toBe("step   1/100  loss 1         – steps/s  – left");
  expect(lines[1]).toMatch(/^step {2}10\/100 {2}loss 0\.1 {7}[\d,]+ steps\/s {2}\d+ ms left$/);
  expect(lines[10]).toMatch(/^step 100\/100 {2}loss 0\.01 /);
  expect(lines[11]).toBe("");
  expect(run(3, false).split("\n")).toHaveLength(4);
});

test("no control characters where there is no terminal", () => {
  expect(run(25, false)).toMatch(/^[\P{Cc}\n]*$/u);
});

test("in a terminal, a bar that ends full and gives the cursor back", () => {
  const text = run(100, true);
  expect(text).toContain("\u001b[?25l");
  expect(text.lastIndexOf("\u001b[?25h")).toBeGreaterThan(text.lastIndexOf("\u001b[?25l"));
  const last = text.slice(text.lastIndexOf("training "));
  expect(last).toMatch(/^training █+ 100\/100 {2}loss 0\.01 {2}[\d,]+ steps\/s {2}0 ms left/);
});
