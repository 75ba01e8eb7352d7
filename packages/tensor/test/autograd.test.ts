import { ArgumentError, ShapeError, StateError } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { ones, tensor } from "../src/create.ts";
import { realize } from "../src/engine.ts";
import { noGrad } from "../src/grad-mode.ts";
import { grad } from "../src/transforms/grad.ts";

const leaf = (data: number | number[] | number[][]) => tensor(data, { requiresGrad: true });

describe("backward", () => {
  test("follows the chain rule", () => {
    const x = leaf([1, 2, 3]);
    x.square().mul(2).sum().backward(); // d/dx 2x² = 4x
    expect(x.grad?.arraySync()).toEqual([4, 8, 12]);
  });

  test("adds up what flows through several paths, and over several calls", () => {
    const x = leaf([1, 2]);
    const y = x.mul(x).add(x); // 2x + 1
    y.sum().backward();
    expect(x.grad?.arraySync()).toEqual([3, 5]);
    x.sum().backward();
    expect(x.grad?.arraySync()).toEqual([4, 6]);
  });

  test("sums over broadcast axes", () => {
    const a = leaf([[1], [2]]); // [2, 1]
    const b = leaf([3, 4, 5]); // [3]
    const c = leaf(2);
    a.mul(b).mul(c).sum().backward();
    expect(a.grad?.arraySync()).toEqual([[24], [24]]);
    expect(b.grad?.arraySync()).toEqual([6, 6, 6]);
    expect(c.grad?.arraySync()).toBe(36);
  });

  test("starts with the gradient it is given", () => {
    const x = leaf([1, 2]);
    x.square().backward({ gradient: tensor([1, 10]) });
    expect(x.grad?.arraySync()).toEqual([2, 40]);
  });

  test("gives gradients to leaves only, unless they are retained", () => {
    const x = leaf([1, 2]);
    const y = x.mul(3);
    const z = y.square().retainGrad();
    z.sum().backward();
    expect(y.grad).toBeNull();
    expect(z.grad?.arraySync()).toEqual([1, 1]);
    expect(x.grad?.arraySync()).toEqual([18, 36]);
  });

  test("does not touch what does not require a gradient", () => {
    const x = leaf([1, 2]);
    const k = tensor([3, 4]);
    x.mul(k).sum().backward();
    expect(k.grad).toBeNull();
  });

  test("stops at detach", () => {
    const x = leaf([1, 2]);
    x.mul(x.detach()).sum().backward();
    expect(x.grad?.arraySync()).toEqual([1, 2]);
  });

  test("walks graphs that are too deep for recursion", () => {
    const x = leaf(1);
    let y = x.mul(1);
    for (let i = 0; i < 10_000; i++) y = y.neg();
    y.backward();
    expect(x.grad?.itemSync()).toBe(1);
  });

  test("frees the graph, unless told to keep it", () => {
    const x = leaf([1, 2]);
    const y = x.square().sum();
    y.backward({ retainGraph: true });
    y.backward();
    expect(x.grad?.arraySync()).toEqual([4, 8]);
    expect(() => y.backward()).toThrow(StateError);
    expect(() => y.backward()).toThrow(
      'backward: the graph must still exist, got "sum" freed by an earlier backward().',
    );
  });

  test("wants a scalar", () => {
    const x = leaf([[1, 2]]);
    expect(() => x.mul(2).backward()).toThrow(ShapeError);
    expect(() => x.mul(2).backward()).toThrow(
      "backward: the loss must be a scalar, got [1, 2]. Reduce it first, for example with mean().",
    );
    expect(() => x.mul(2).backward({ gradient: tensor([1, 2]) })).toThrow(
      "backward: the gradient must have the shape of the output, got [2] for [1, 2].",
    );
  });

  test("wants something that requires a gradient", () => {
    expect(() => tensor(1).backward()).toThrow(StateError);
    expect(() => noGrad(() => leaf(1).mul(2)).backward()).toThrow(
      "backward: the loss must require a gradient, got one that does not.",
    );
  });

  test("refuses inputs that have been assigned to since", () => {
    const w = leaf([1, 2]);
    const loss = w.square().sum();
    noGrad(() => w.assign(tensor([5, 6])));
    expect(() => loss.backward()).toThrow(
      'backward: inputs of "mul" must be unchanged, got one that was assigned to.',
    );
  });
});

describe("gradients that are let go", () => {
  const large = 1000; // beyond what the engine keeps on the heap anyway

  test("do not take along those of others that are the same", () => {
    const a = ones([large], { requiresGrad: true });
    const b = ones([large], { requiresGrad: true });
    a.add(b)
      .mul(ones([large]).mul(3))
      .sum()
      .backward();
    realize();
    a.grad = null;
    expect(b.grad?.sum().itemSync()).toBe(3 * large);
  });

  test("do not take along what backward was given", () => {
    const a = ones([large], { requiresGrad: true });
    const gradient = ones([large]).mul(2);
    a.add(1).backward({ gradient });
    realize();
    a.grad = null;
    expect(gradient.sum().itemSync()).toBe(2 * large);
  });
});

describe("grad", () => {
  test("gives gradients without touching the grad fields", () => {
    const x = leaf(3);
    const [dx] = grad(x.pow(3), x);
    expect(dx.itemSync()).toBe(27);
    expect(x.grad).toBeNull();
  });

  test("of results on the way, not only of leaves", () => {
    const x = leaf(2);
    const y = x.mul(3);
    const [dy, dx] = grad(y.square(), [y, x]);
    expect(dy.itemSync()).toBe(12);
    expect(dx.itemSync()).toBe(36);
  });

  test("can be differentiated again", () => {
    const x = leaf([1, 2]);
    const [first] = grad(x.pow(3).sum(), x, { createGraph: true });
    const [second] = grad(first.sum(), x, { createGraph: true });
    const [third] = grad(second.sum(), x);
    expect(first.arraySync()).toEqual([3, 12]);
    expect(second.arraySync()).toEqual([6, 12]);
    expect(third.arraySync()).toEqual([6, 6]);
  });

  test("weights several outputs by gradOutputs", () => {
    const x = leaf([1, 2]);
    const [dx] = grad([x.mul(2), x.mul(3)], x, { gradOutputs: [tensor([1, 1]), tensor([10, 20])] });
    expect(dx.arraySync()).toEqual([32, 62]);
  });

  test("refuses inputs it cannot serve", () => {
    const x = leaf(1);
    const unused = leaf(2);
    expect(() => grad(x.mul(2), tensor(1))).toThrow(ArgumentError);
    expect(() => grad(x.mul(2), tensor(1))).toThrow(
      "grad: inputs must require a gradient, got number 0 that does not. Use requiresGrad_().",
    );
    expect(() => grad(x.mul(2), [x, unused])).toThrow(
      "grad: inputs must be used, got number 1 that is not.",
    );
    expect(grad(x.mul(2), [x, unused], { allowUnused: true })[1]).toBeNull();
    expect(() => grad([x.mul(2)], x, { gradOutputs: [tensor(1), tensor(1)] })).toThrow(
      "grad: gradOutputs must be as many as outputs, got 2 for 1.",
    );
  });
});
