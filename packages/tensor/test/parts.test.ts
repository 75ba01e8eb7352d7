import { afterAll, beforeEach, describe, expect, test } from "vitest";
import {
  cat,
  compile,
  memoryStats,
  noGrad,
  realize,
  scan,
  setBackend,
  stack,
  type Tensor,
  tensor,
  vmap,
} from "../src/index.ts";

afterAll(() => setBackend("wasm"));

/** `[rows, columns]` with the element `100 · row + column`. */
function grid(rows: number, columns: number): Tensor {
  return tensor(
    Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => 100 * i + j)),
  );
}

describe.each(["wasm", "js"] as const)("slices of values, on %s", (backend) => {
  beforeEach(() => setBackend(backend));

  const x = () => grid(12, 10);
  const slicings: readonly (readonly [string, () => Tensor, (x: Tensor, i: number) => Tensor])[] = [
    ["rows", x, (x, i) => x.slice(0, i, i + 3)],
    ["columns", x, (x, i) => x.slice(1, i, i + 4)],
    ["every other column", x, (x, i) => x.slice(1, i, i + 4, { step: 2 })],
    ["a window of rows and columns", x, (x, i) => x.slice(0, i, i + 5).slice(1, 6 - i, 8 - i)],
    ["of a transpose", () => x().t(), (x, i) => x.slice(0, i, i + 3)],
    ["of another shape", () => x().reshape([6, 2, 5, 2]), (x, i) => x.slice(2, i % 3, (i % 3) + 2)],
    [
      "of pictures in another order",
      () => x().reshape([3, 4, 5, 2]).permute([0, 3, 1, 2]),
      (x, i) => x.narrow(2, i % 3, 2),
    ],
    ["one row", x, (x, i) => x.select(0, i)],
    ["one column", x, (x, i) => x.select(1, i)],
    [
      "a part of a part, of another shape",
      x,
      (x, i) =>
        x
          .slice(0, i, i + 4)
          .reshape([8, 5])
          .slice(0, i, i + 2),
    ],
    [
      "backwards",
      x,
      (x, i) =>
        x
          .slice(0, i, i + 3)
          .flip(0)
          .slice(1, i, i + 2),
    ],
    ["of bytes", () => x().remainder(251).to("uint8"), (x, i) => x.slice(1, i, i + 3)],
  ];

  test.each(slicings)("%s: one plan for all places", (_, make, sliced) => {
    const source = make();
    realize(source);
    const plans: number[] = [];
    for (let i = 0; i < 6; i++) {
      const before = memoryStats().compiledPlans;
      const found = sliced(source, i).mul(2).add(1).arraySync();
      plans.push(memoryStats().compiledPlans - before);
      // What has only been recorded is sliced by the plan.
      expect(found).toEqual(sliced(make(), i).mul(2).add(1).arraySync());
    }
    expect(plans.slice(1)).toEqual([0, 0, 0, 0, 0]);
  });

  test("a part outlives its whole, and moves with it to another backend", () => {
    const part = (() => {
      const whole = grid(400, 300).add(1);
      realize(whole);
      return whole.slice(0, 7, 9).slice(1, 3, 5);
    })();
    setBackend(backend === "js" ? "wasm" : "js");
    expect(part.arraySync()).toEqual([
      [704, 705],
      [804, 805],
    ]);
  });

  test("a part of a gradient stays when the gradient is given back", () => {
    const w = grid(300, 200);
    w.requiresGrad = true;
    w.square().sum().backward();
    realize(w.grad!);
    const part = w.grad!.slice(0, 2, 3).slice(1, 5, 7);
    w.grad = null;
    grid(300, 200).mul(3).sum().itemSync();
    expect(part.arraySync()).toEqual([[410, 412]]);
  });

  test("a part of a prediction can be read after later steps, when the prediction was given back", () => {
    const x = grid(50, 40).mul(0.001);
    realize(x);
    const run = (readsAtOnce: boolean) => {
      const w = tensor(grid(40, 30).mul(0.001).arraySync());
      w.requiresGrad = true;
      const step = () => {
        const scores = x.matmul(w);
        scores.square().mean().backward();
        noGrad(() => w.assign(w.sub(w.grad!.mul(0.1))));
        w.grad = null;
        realize(w);
        return scores;
      };
      step();
      const part = step().slice(0, 7, 9).slice(1, 3, 5);
      if (readsAtOnce) realize(part);
      step();
      step();
      return part.arraySync();
    };
    expect(run(false)).toEqual(run(true));
  });

  test("states are sliced as they are when it is recorded", () => {
    const w = grid(3, 4);
    w.requiresGrad = true;
    const before = w.slice(0, 1, 2).detach();
    realize(before);
    noGrad(() => w.assign(w.mul(2)));
    expect(w.slice(0, 1, 2).arraySync()).toEqual([[200, 202, 204, 206]]);
    expect(before.arraySync()).toEqual([[100, 101, 102, 103]]);
  });

  test("what is compiled slices the inputs of each call", () => {
    const middle = compile((x: Tensor) => x.slice(0, 1, 3).slice(1, 2, 4).sum());
    expect(middle(grid(4, 5)).itemSync()).toBe(102 + 103 + 202 + 203);
    expect(middle(grid(4, 5).add(1000)).itemSync()).toBe(4000 + 102 + 103 + 202 + 203);
  });

  test("in loops over time and in batches", () => {
    const table = grid(6, 4);
    realize(table);
    const [, [all]] = scan(
      ([h], [x]) => {
        const next = h.add(x).add(table.slice(0, 2, 3).slice(1, 1, 3));
        return [[next], [next]];
      },
      [tensor([[0, 0]])],
      [tensor([[[1, 1]], [[2, 2]]])],
    );
    expect(all.arraySync()).toEqual([[[202, 203]], [[405, 407]]]);
    const rows = vmap((x: Tensor) => x.slice(0, 1, 3).add(table.slice(0, 1, 2).slice(1, 0, 2)))(
      grid(2, 4),
    );
    expect(rows.arraySync()).toEqual([[[101, 103]], [[201, 203]]]);
  });

  test("gradients go where the part is", () => {
    const x = grid(4, 5);
    x.requiresGrad = true;
    const weights = grid(9, 9);
    realize(weights);
    x.slice(0, 1, 3)
      .mul(weights.slice(0, 3, 5).slice(1, 2, 7))
      .sum()
      .backward();
    expect(x.grad!.arraySync()).toEqual([
      [0, 0, 0, 0, 0],
      [302, 303, 304, 305, 306],
      [402, 403, 404, 405, 406],
      [0, 0, 0, 0, 0],
    ]);
  });
});

describe.each(["wasm", "js"] as const)("values that are joined, on %s", (backend) => {
  beforeEach(() => setBackend(backend));

  test("which of them are the same, and how many are drawn of how many, compiles nothing", () => {
    const items = Array.from({ length: 20 }, (_, i) => tensor([i, 10 * i, 100 * i]));
    const rows = grid(20, 2);
    const w = tensor(2);
    const batch = (indices: readonly number[]) =>
      cat(
        [stack(indices.map((i) => items[i])), stack(indices.map((i) => rows.select(0, i)))],
        1,
      ).mul(w);
    const expected = (indices: readonly number[]) =>
      indices.map((i) => [2 * i, 20 * i, 200 * i, 200 * i, 200 * i + 2]);
    batch([1, 2, 3, 4]).dataSync();
    batch([4, 5, 6, 6]).dataSync();
    const before = memoryStats().compiledPlans;
    for (let k = 0; k < 20; k++) {
      const indices = [k, (k * k) % 7, (k * 3) % 5, (k * 2) % 3];
      expect(batch(indices).arraySync()).toEqual(expected(indices));
    }
    expect(memoryStats().compiledPlans).toBe(before);
  });

  test("along other axes, of states, of parts and of nothing, are what they are recorded as", () => {
    const x = grid(2, 3);
    const state = tensor([[7, 8, 9]]);
    state.assign(state.add(1));
    const joined = cat([x, state, x.slice(0, 1, 2).flip(1), x.slice(0, 0, 0)]);
    state.assign(state.mul(0));
    expect(joined.arraySync()).toEqual([
      [0, 1, 2],
      [100, 101, 102],
      [8, 9, 10],
      [102, 101, 100],
    ]);
    expect(cat([x, x.slice(1, 2, 3), x.add(1)], 1).arraySync()).toEqual([
      [0, 1, 2, 2, 1, 2, 3],
      [100, 101, 102, 102, 101, 102, 103],
    ]);
    expect(cat([x.slice(1, 1, 2), x.slice(1, 0, 1)]).arraySync()).toEqual([[1], [101], [0], [100]]);
    expect(stack([tensor(5), tensor(6)]).arraySync()).toEqual([5, 6]);
  });

  test("have gradients, and are those of each call in a compiled function", () => {
    const [a, b] = [tensor([1, 2]).requiresGrad_(), tensor([3]).requiresGrad_()];
    cat([a, b, a])
      .mul(tensor([1, 2, 3, 4, 5]))
      .sum()
      .backward();
    expect([a.grad?.arraySync(), b.grad?.arraySync()]).toEqual([[5, 7], [3]]);
    const twice = compile((x: Tensor) => stack([x, x]));
    for (const value of [1, 2]) expect(twice(tensor(value)).arraySync()).toEqual([value, value]);
  });
});
