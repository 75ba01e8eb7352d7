import { StateError } from "@gradloom/engine";
import { afterAll, describe, expect, test } from "vitest";
import {
  cat,
  memoryStats,
  noGrad,
  realize,
  setBackend,
  stack,
  Tensor,
  tensor,
} from "../src/index.ts";

afterAll(() => setBackend("wasm"));

describe.each(["wasm", "js"] as const)("on %s", (backend) => {
  const use = () => setBackend(backend);

  test("a state is read as it starts, before and after anything else runs", () => {
    use();
    const w = new Tensor(tensor([1, 2]).mul(3));
    const copy = new Tensor(w.detach().clone());
    expect(copy.arraySync()).toEqual([3, 6]);
    expect(w.arraySync()).toEqual([3, 6]);
  });

  test("a loss and what else was recorded can be read after the step", () => {
    use();
    const w = tensor([1, 2], { requiresGrad: true });
    const loss = w.square().sum();
    const largest = w.detach().max();
    loss.backward();
    const gradient = w.grad;
    noGrad(() => w.assign(w.sub(w.grad!.mul(0.5))));
    realize(w);
    expect(loss.itemSync()).toBe(5);
    expect(largest.itemSync()).toBe(2);
    expect(gradient?.arraySync()).toEqual([2, 4]);
    expect(w.arraySync()).toEqual([0, 0]);
  });

  test("what was consumed and left out is an error that says what to do", () => {
    use();
    const w = new Tensor(tensor([1, 2]));
    const doubled = w.mul(2);
    doubled.add(1);
    w.assign(tensor([5, 6]));
    realize(w);
    expect(() => doubled.arraySync()).toThrow(StateError);
    expect(() => doubled.arraySync()).toThrow(/has changed.*Read the tensor before the change/s);
  });

  test("assignments are seen in order, also before they are carried out", () => {
    use();
    const w = tensor([1, 2]);
    const before = w.add(0);
    w.assign(w.mul(10));
    const after = w.add(1);
    w.assign(w.add(w.flip(0)));
    expect(after.arraySync()).toEqual([11, 21]);
    expect(before.arraySync()).toEqual([1, 2]);
    expect(w.arraySync()).toEqual([30, 30]);
  });

  test("two states can take each other's value", () => {
    use();
    const [a, b] = [tensor([1, 2]), tensor([3, 4])];
    const [oldA, oldB] = [a.mul(1), b.mul(1)];
    a.assign(oldB);
    b.assign(oldA);
    expect([a.arraySync(), b.arraySync()]).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });

  test("reading a loss before backward gives the same gradients", () => {
    use();
    const w = tensor([1, 2], { requiresGrad: true });
    const loss = w.exp().sum();
    const read = loss.itemSync();
    loss.backward();
    expect(read).toBeCloseTo(Math.E + Math.E ** 2, 4);
    expect(w.grad?.arraySync()).toEqual(w.exp().arraySync());
  });

  test("gradients of several backward passes add up, settled in between or not", () => {
    use();
    for (const settle of [true, false]) {
      const w = tensor([1, 2], { requiresGrad: true });
      for (let i = 1; i <= 3; i++) {
        w.mul(i).sum().backward();
        if (settle) realize(w.grad!);
      }
      expect(w.grad?.arraySync()).toEqual([6, 6]);
    }
  });

  test("parts of a cat that other kernels compute are there when it is reduced", () => {
    use();
    const [a, b] = [tensor([3]), tensor([0, -4])];
    const sums = [a.sum().reshape([1]), b.sum().reshape([1])];
    expect(cat(sums, 0).sum().itemSync()).toBe(-1);
    expect(
      stack([a.mul(a).sum(), b.mul(b).sum()], 0)
        .sum()
        .itemSync(),
    ).toBe(25);
  });

  test("gradients that nobody looked at do not fill the memory", () => {
    use();
    const w = tensor(new Float32Array(5000), { requiresGrad: true });
    const step = () => {
      w.grad = null;
      w.square().sum().backward();
      noGrad(() => w.assign(w.sub(w.peekGrad()!)));
      realize(w);
    };
    for (let i = 0; i < 5; i++) step();
    const before = memoryStats();
    for (let i = 0; i < 100; i++) step();
    expect(memoryStats()).toEqual(before);
  });
});
