import { StateError } from "@gradloom/engine";
import { afterAll, describe, expect, test } from "vitest";
import {
  borrowStates,
  cat,
  compile,
  grad,
  memoryStats,
  noGrad,
  randn,
  realize,
  setBackend,
  stack,
  Tensor,
  tensor,
  zeros,
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

  test("a view that is used again and again takes no memory; what is computed of it is kept", () => {
    use();
    const x = tensor(Array.from({ length: 6000 }, (_, i) => i % 7)).reshape([60, 100]);
    realize(x);
    const view = x.t().slice(0, 10, 90).reshape([80, 60]);
    const copied = x.t().reshape([50, 120]);
    const kept = x.t().exp().t();
    const grown = (held: Tensor): number => {
      const before = memoryStats().residentBytes;
      for (const i of [1, 2, 3]) realize(held.mul(i).sum());
      return memoryStats().residentBytes - before;
    };
    // The results themselves are small.
    expect(grown(view)).toBeLessThan(100);
    // Elements that have to be put in order first, once.
    expect(grown(copied)).toBeGreaterThan(20_000);
    expect(grown(kept)).toBeGreaterThan(20_000);
  });

  test("what was consumed and left out is an error that says what to do", () => {
    use();
    const w = new Tensor(tensor([1, 2])).named("w");
    const doubled = w.mul(2);
    doubled.add(1);
    w.assign(tensor([5, 6]));
    realize(w);
    expect(() => doubled.sum(0, { keepdim: true }).arraySync()).toThrow(/shape \[1\] depends/);
    expect(() => doubled.arraySync()).toThrow(StateError);
    expect(() => doubled.arraySync()).toThrow(
      /shape \[2\] depends on w, which has changed.*Before optimizer\.step\(\) or assign\(\), record/s,
    );
  });

  test("a state that takes what is lost is an error once: it stays as it is, and all else goes on", () => {
    use();
    const w = new Tensor(tensor([1, 2]));
    const running = new Tensor(tensor([5, 5]));
    const twice = w.mul(2);
    const more = twice.add(1);
    w.assign(tensor([3, 4]));
    realize(more);
    running.assign(twice);
    expect(() => realize()).toThrow(StateError);
    expect(() => realize()).not.toThrow();
    expect(running.arraySync()).toEqual([5, 5]);
    running.assign(running.add(w));
    expect(running.arraySync()).toEqual([8, 9]);
    expect(more.arraySync()).toEqual([3, 5]);
  });

  test("what was detached can be read after the step although something uses the original", () => {
    use();
    const w = new Tensor(tensor([1, 2]));
    const hidden = w.mul(3);
    const seen = hidden.detach();
    const used = hidden.detach();
    const next = hidden.add(used).mean();
    w.assign(tensor([0, 0]));
    realize(w);
    expect(seen.arraySync()).toEqual([3, 6]);
    expect(next.itemSync()).toBe(9);
    // Another view of what has been computed.
    expect(used.arraySync()).toEqual([3, 6]);
  });

  test("what a state takes is in memory once", () => {
    use();
    const x = randn([32, 32]);
    const state = new Tensor(zeros([32, 32]));
    realize(x, state);
    const { residentValues } = memoryStats();
    for (let i = 0; i < 5; i++) {
      noGrad(() => state.assign(x.mul(i)));
      realize(state);
    }
    expect(memoryStats().residentValues).toBe(residentValues);
    expect(state.sub(x.mul(4)).abs().max().itemSync()).toBe(0);
  });

  test("what was read of something detached computes the original no more", () => {
    use();
    const w = new Tensor(tensor([1, 2]));
    const { pendingNodes } = memoryStats();
    for (let i = 0; i < 5; i++) {
      const hidden = w.mul(i);
      expect(hidden.detach().arraySync()).toEqual([i, 2 * i]);
      expect(w.sub(i).detach().square().arraySync()).toEqual([(1 - i) ** 2, (2 - i) ** 2]);
      expect(hidden.arraySync()).toEqual([i, 2 * i]);
      const chain = [w.add(i)];
      for (let k = 0; k < 3; k++) chain.push(chain[k].detach());
      realize(...chain.reverse());
      for (const each of chain) expect(each.arraySync()).toEqual([1 + i, 2 + i]);
    }
    expect(memoryStats().pendingNodes).toBeLessThanOrEqual(pendingNodes);
  });

  test("what was left out may be recorded with as long as nobody reads it: later steps run", () => {
    use();
    const w = new Tensor(tensor([1, 2]));
    const metrics: Tensor[] = [];
    for (let i = 0; i < 3; i++) {
      const doubled = w.mul(2);
      const next = doubled.add(1);
      w.assign(next);
      realize(w);
      metrics.push(doubled.mean());
    }
    expect(w.arraySync()).toEqual([15, 23]);
    // Nor do they fail when nodes are settled because there are many.
    const x = tensor(1);
    for (let i = 0; i < 9000; i++) x.neg();
    expect(w.sum().itemSync()).toBe(38);
    for (const metric of metrics) expect(() => metric.itemSync()).toThrow(StateError);
  });

  test("what depends on no state can be read for good, also once states have taken its value", () => {
    use();
    const x = tensor([1, 2, 3]).mul(2);
    const sum = x.sum();
    const states = [new Tensor(tensor([0, 0, 0])), new Tensor(tensor([0, 0, 0]))];
    for (const state of states) state.assign(x);
    const largest = x.max();
    for (let i = 0; i < 2; i++) {
      states[0].assign(states[0].add(1));
      realize(states[0]);
    }
    expect([x, ...states].map((t) => t.arraySync())).toEqual([
      [2, 4, 6],
      [4, 6, 8],
      [2, 4, 6],
    ]);
    expect([sum.itemSync(), largest.itemSync()]).toEqual([12, 6]);
  });

  test("scalars that something consumed can be read after the step: the terms of a loss, say", () => {
    use();
    const w = new Tensor(tensor([1, 2])).requiresGrad_();
    const step = () => {
      w.grad = null;
      const error = w.square().sum();
      const penalty = w.abs().mean();
      const total = error.add(penalty.mul(2)).sqrt();
      total.backward();
      noGrad(() => w.assign(w.sub(w.grad!)));
      realize(w);
      return { error, penalty, total };
    };
    const { error, penalty, total } = step();
    const { compiledPlans } = memoryStats();
    const later = step();
    expect(memoryStats().compiledPlans).toBe(compiledPlans);
    expect([error.itemSync(), penalty.itemSync()]).toEqual([5, 1.5]);
    expect(total.itemSync()).toBeCloseTo(Math.sqrt(8), 6);
    // The gradient is (2 w + sign w) / (2 √8) = (3, 5) / √32.
    const [a, b] = [1 - 3 / Math.sqrt(32), 2 - 5 / Math.sqrt(32)];
    expect(later.error.itemSync()).toBeCloseTo(a ** 2 + b ** 2, 5);
    expect(later.penalty.itemSync()).toBeCloseTo((a + b) / 2, 6);
  });

  test("also when only what consumes it is read before the step", () => {
    use();
    const w = tensor([1, 2], { requiresGrad: true });
    const error = w.square().sum();
    const total = error.mul(3);
    expect(total.itemSync()).toBe(15);
    noGrad(() => w.assign(w.mul(7)));
    realize(w);
    expect(error.itemSync()).toBe(5);
  });

  test("scalars that something consumed can be read behind a compiled step too", () => {
    use();
    const w = new Tensor(tensor([1, 2])).requiresGrad_();
    const step = compile((x: Tensor) => {
      const error = w.mul(x).sum();
      const total = error.square();
      noGrad(() => w.assign(w.sub(grad(total, [w])[0].mul(0.5))));
      realize(w);
      return { error, total };
    });
    const errors = [1, 1, 1].map(() => {
      const { error, total } = step(tensor([1, 1]));
      return [error.itemSync(), total.itemSync()];
    });
    // Each of the two weights loses the error.
    expect(errors).toEqual([
      [3, 9],
      [-3, 9],
      [3, 9],
    ]);
  });

  test("a copy of a state is not made just to be read, and stays what it was", () => {
    use();
    const w = new Tensor(tensor(Float32Array.from({ length: 1000 }, (_, i) => i)).mul(1));
    const mostly = w.sum().itemSync();
    const before = memoryStats().residentBytes;
    const copies = [w.clone(), w.detach().clone()];
    expect(copies[0].sum().itemSync()).toBe(mostly);
    const used = memoryStats().residentBytes;
    const read = new Tensor(tensor(new Float32Array(1000)).add(2));
    realize(read);
    const withRead = memoryStats().residentBytes;
    const copy = read.clone();
    expect(copy.dataSync()[999]).toBe(2);
    expect(memoryStats().residentBytes).toBe(withRead);
    expect(used).toBeGreaterThan(before);
    read.assign(read.add(1));
    realize(read);
    expect(copy.dataSync()[999]).toBe(2);
    copy.assign(copy.add(5));
    expect([copy.dataSync()[0], read.dataSync()[0]]).toEqual([7, 3]);
    w.assign(w.mul(0));
    expect(copies.map((c) => c.dataSync()[999])).toEqual([999, 999]);
  });

  test("a borrowed copy is what the state is until that changes", () => {
    use();
    const w = new Tensor(tensor([1, 2, 3]));
    const { copy, inner } = borrowStates(() => ({ copy: w.clone(), inner: w.mul(2).clone() }));
    expect([copy.arraySync(), inner.arraySync()]).toEqual([
      [1, 2, 3],
      [2, 4, 6],
    ]);
    const own = w.clone();
    w.assign(w.mul(3));
    realize(w);
    expect(() => copy.arraySync()).toThrow(StateError);
    expect([own.arraySync(), w.arraySync()]).toEqual([
      [1, 2, 3],
      [3, 6, 9],
    ]);
  });

  test("parts are read", async () => {
    use();
    const x = new Tensor(tensor(Float64Array.from({ length: 100 }, (_, i) => i)));
    for (const computed of [x, x.mul(1)]) {
      expect(await computed.data({ start: 97 })).toEqual(Float64Array.of(97, 98, 99));
      expect(await computed.data({ start: 3, end: 5 })).toEqual(Float64Array.of(3, 4));
      expect(await computed.data({ end: 1 })).toEqual(Float64Array.of(0));
      expect(await computed.data({ start: 5, end: 5 })).toEqual(new Float64Array(0));
      expect(await computed.data({ start: 98, end: 1e9 })).toEqual(Float64Array.of(98, 99));
      expect(await computed.data({ start: -7, end: 1 })).toEqual(Float64Array.of(0));
    }
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
