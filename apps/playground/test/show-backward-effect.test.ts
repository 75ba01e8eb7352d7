import { expect, test } from "vitest";
import { computeByAutograd } from "../src/backward-by-autograd.ts";
import { nodeNames, workOutByHand } from "../src/backward-by-hand.ts";
import { showBackwardEffect } from "../src/show-backward-effect.ts";

const inputs = { w: 0.5, b: 1, x: [1, 2, 3, 4], y: [2, 1, 4, 4] };

test("autograd gives the numbers that were worked out by hand", () => {
  const { nodes, mseLoss } = computeByAutograd(inputs);
  const { values, gradients } = workOutByHand(inputs);
  expect(Object.keys(nodes)).toEqual([...nodeNames]);
  for (const { node, result } of values) expect(nodes[node].value).toEqual(result);
  for (const { node, result } of gradients) expect(nodes[node].gradient).toEqual(result);
  expect(mseLoss).toEqual({ loss: 1.125, w: -3.5, b: -1 });
});

function show(options: Parameters<typeof showBackwardEffect>[0]): string {
  let text = "";
  showBackwardEffect(options, (part) => {
    text += part;
  });
  return text;
}

test("columns stand below each other and every number agrees", () => {
  const text = show({ ...inputs, lr: 0.1 });
  const columns = (section: string) =>
    text
      .split(`${section}`)[1]
      .split("\n\n")[1]
      .split("\n")
      .map((line) => line.lastIndexOf("="));
  expect(new Set(columns("forwards: the values")).size).toBe(1);
  expect(text.match(/ agrees$/gm)).toHaveLength(14);
  expect(text).toContain("All 14 agree exactly.");
});

test("one sample, zeros and gradients that cancel are no trouble", () => {
  expect(show({ w: 0, b: 0, x: [0], y: [0], lr: 1 })).toContain("agree exactly");
  expect(show({ w: 1, b: 0.1, x: [0.3, 0.3], y: [0.3, 0.5], lr: 1 })).toContain("All 14 agree");
});

test("lists of different lengths are refused", () => {
  expect(() => show({ ...inputs, y: [1], lr: 1 })).toThrow(
    "must have the same length, got 4 and 1",
  );
});
