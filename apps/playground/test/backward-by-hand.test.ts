import { expect, test } from "vitest";
import { type Inputs, list, num, workOutByHand } from "../src/backward-by-hand.ts";

const inputs = { w: 0.5, b: 1, x: [1, 2, 3, 4], y: [2, 1, 4, 4] };

test("the values and gradients of the default numbers", () => {
  const { values, gradients } = workOutByHand(inputs);
  expect(values.map(({ node, result }) => [node, result])).toEqual([
    ["p", [0.5, 1, 1.5, 2]],
    ["z", [1.5, 2, 2.5, 3]],
    ["e", [-0.5, 1, -1.5, -1]],
    ["s", [0.25, 1, 2.25, 1]],
    ["loss", [1.125]],
  ]);
  expect(gradients.map(({ node, result }) => [node, result])).toEqual([
    ["loss", [1]],
    ["s", [0.25, 0.25, 0.25, 0.25]],
    ["e", [-0.25, 0.5, -0.75, -0.5]],
    ["y", [0.25, -0.5, 0.75, 0.5]],
    ["z", [-0.25, 0.5, -0.75, -0.5]],
    ["b", [-1]],
    ["p", [-0.25, 0.5, -0.75, -0.5]],
    ["w", [-3.5]],
    ["x", [-0.125, 0.25, -0.375, -0.25]],
  ]);
});

test("the gradients are the slopes of the loss", () => {
  const loss = (at: Inputs) => workOutByHand(at).values.at(-1)!.result[0];
  const at = { w: -1.3, b: 0.7, x: [0.2, -1.1, 2.5], y: [1, -0.4, 3] };
  const h = 1e-5;
  const { gradients } = workOutByHand(at);
  const gradient = (name: string) => gradients.find(({ node }) => node === name)!.result;
  const slope = (move: (h: number) => Inputs) => (loss(move(h)) - loss(move(-h))) / (2 * h);
  const moved = (values: readonly number[], i: number, d: number) =>
    values.map((value, j) => (i === j ? value + d : value));

  expect(gradient("w")[0]).toBeCloseTo(
    slope((d) => ({ ...at, w: at.w + d })),
    7,
  );
  expect(gradient("b")[0]).toBeCloseTo(
    slope((d) => ({ ...at, b: at.b + d })),
    7,
  );
  for (let i = 0; i < at.x.length; i++) {
    expect(gradient("x")[i]).toBeCloseTo(
      slope((d) => ({ ...at, x: moved(at.x, i, d) })),
      7,
    );
    expect(gradient("y")[i]).toBeCloseTo(
      slope((d) => ({ ...at, y: moved(at.y, i, d) })),
      7,
    );
  }
});

test("numbers are written short, with a real minus sign", () => {
  expect([num(-0.25), num(1 / 3), num(-0), num(1e-12), num(12345678)]).toEqual([
    "−0.25",
    "0.333333",
    "0",
    "1e−12",
    "12345700",
  ]);
  expect(list([1, -2])).toBe("[1, −2]");
});
