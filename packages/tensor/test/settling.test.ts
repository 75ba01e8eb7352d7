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

  test("a training loop without an optimizer that reads nothing needs the plan of a step", () => {
    use();
    const x = tensor([[1], [2], [3]]);
    const run = (steps: number, reads: boolean) => {
      const [w, b] = [tensor([[0.5]]), tensor([0])];
      const before = memoryStats();
      for (let i = 0; i < steps; i++) {
        w.requiresGrad = b.requiresGrad = true;
        x.matmul(w).add(b).sub(x.mul(3)).square().mean().backward();
        noGrad(() => {
          for (const p of [w, b]) {
            p.assign(p.sub(p.grad!.mul(0.05)));
            p.grad = null;
          }
        });
        expect(memoryStats().pendingNodes).toBeLessThan(100);
        if (reads) w.itemSync();
      }
      expect(memoryStats().compiledPlans - before.compiledPlans).toBeLessThan(8);
      return [w.itemSync(), b.itemSync()];
    };
    expect(run(40, false)).toEqual(run(40, true));
  });

  test("so does one that has no gradients, in larger steps", () => {
    use();
    const v = new Tensor(tensor([1, 2]));
    for (let i = 0; i < 3000; i++) v.assign(v.mul(0.5).add(v.flip(0).mul(0.5)));
    expect(memoryStats().pendingNodes).toBeLessThan(2500);
    expect(v.arraySync()).toEqual([1.5, 1.5]);
  });

  test("a recurrence of which one part is read in each step goes on with the same plans", () => {
    use();
    const w = new Tensor(tensor([0.5, 1, 1.5]));
    noGrad(() => w.assign(tensor([0.4, 0.8, 1.2])));
    w.requiresGrad = true;
    /** As a cell with two states: what is read of one leaves out the other. Also the gradient of what came last. */
    const run = (steps: number, reads: boolean) => {
      let [h, c] = [zeros([3]), zeros([3])];
      const sums: number[] = [];
      for (let i = 0; i < steps; i++) {
        c = c.mul(0.9).add(h.mul(w).add(1).tanh());
        h = c.tanh().mul(w);
        if (reads) sums.push(h.sum().itemSync());
        else realize(h, c);
      }
      const [gradient] = grad(h.sum().add(c.sum()), w);
      return { sums, h: h.arraySync(), gradient: gradient.arraySync() };
    };
    run(12, true);
    const before = memoryStats().compiledPlans;
    const { sums, ...last } = run(40, true);
    // Those of the gradients of forty steps instead of twelve.
    expect(memoryStats().compiledPlans - before).toBeLessThan(10);
    expect(sums.length).toBe(40);
    const { h, gradient } = run(40, false);
    expect(last.h).toEqual(h);
    const close = (gradient as number[]).map((value) => expect.closeTo(value, 4));
    expect(last.gradient).toEqual(close);
  });

  test("so does one that nobody reads, which leaves nothing behind", { timeout: 60_000 }, () => {
    use();
    const w = new Tensor(tensor([1, 1.5]));
    noGrad(() => w.assign(tensor([1.01, 1.02])));
    let [x, v] = [tensor([1, 0.5]), tensor([0, 0.2])];
    let [position, speed] = [1, 0];
    const run = (steps: number) => {
      for (let i = 0; i < steps; i++) {
        v = v.sub(x.mul(w).mul(0.01));
        x = x.add(v.mul(0.01));
        speed -= 1.01 * 0.01 * position;
        position += 0.01 * speed;
      }
    };
    run(4000);
    const before = memoryStats();
    run(4000);
    const after = memoryStats();
    expect(after.compiledPlans).toBe(before.compiledPlans);
    expect(after.pendingNodes).toBeLessThan(3000);
    expect((x.arraySync() as number[])[0]).toBeCloseTo(position, 3);
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

  describe("predictions behind a loss", () => {
    const x = () =>
      tensor(Float32Array.from({ length: 60 }, (_, i) => Math.sin(i))).reshape([20, 3]);
    const y = () => tensor(Int32Array.from({ length: 20 }, (_, i) => (i * 7) % 5));

    /** A classifier, and a step of it that gives what lies between its last layer and its loss. */
    function classifier() {
      const weight = tensor(Float32Array.from({ length: 15 }, (_, i) => Math.cos(i))).reshape([
        3, 5,
      ]);
      const w = new Tensor(weight).requiresGrad_();
      const b = new Tensor(tensor([0.1, 0.2, 0.3, 0.4, 0.5])).requiresGrad_();
      const step = () => {
        for (const parameter of [w, b]) parameter.grad = null;
        const logits = x().matmul(w).add(b); // [20, 5]
        const logp = logits.logSoftmax(-1);
        const expected = noGrad(() => x().matmul(w).add(b).dataSync());
        const loss = logp
          .gather(1, y().reshape([20, 1]))
          .mean()
          .neg();
        loss.backward();
        noGrad(() => {
          for (const parameter of [w, b]) parameter.assign(parameter.sub(parameter.peekGrad()!));
        });
        realize(w, b);
        return { logits, logp, loss, expected };
      };
      return step;
    }

    test("can be read after the step, and so can all that is computed from them", () => {
      use();
      const step = classifier();
      for (let i = 0; i < 3; i++) {
        const { logits, logp, loss, expected } = step();
        const largest = Array.from({ length: 20 }, (_, n) => {
          const row = Array.from(expected.subarray(5 * n, 5 * n + 5));
          return row.indexOf(Math.max(...row));
        });
        expect(logits.argmax(-1).arraySync()).toEqual(largest);
        expect(logits.dataSync()).toEqual(expected);
        const mean = logp.gather(1, y().reshape([20, 1])).mean();
        expect(mean.itemSync()).toBeCloseTo(-loss.itemSync(), 6);
      }
    });

    test("what is recorded of them can be read later", () => {
      use();
      const step = classifier();
      const later = Array.from({ length: 4 }, () => {
        const { logits, logp, expected } = step();
        return { sum: logits.sum(), double: logp.exp().sum(-1).mul(2), expected };
      });
      for (const { sum, double, expected } of later) {
        expect(sum.itemSync()).toBeCloseTo(
          Array.from(expected).reduce((a, b) => a + b, 0),
          4,
        );
        for (const each of double.dataSync()) expect(each).toBeCloseTo(2, 5);
      }
    });

    describe("of several terms", () => {
      /** Two heads, a penalty, and a step of them. */
      const heads = (size: number) => {
        const input = tensor(Float32Array.from({ length: size }, (_, i) => (i % 9) - 4));
        const [a, b] = [2, 3].map((start) => new Tensor(tensor(start)).requiresGrad_());
        const step = () => {
          a.grad = b.grad = null;
          const [first, second] = [input.mul(a), input.mul(b).add(1)];
          const squares = stack([a, b]).square();
          first
            .square()
            .mean()
            .add(second.abs().mean().mul(0.5))
            .add(squares.sum().mul(0.1))
            .backward();
          noGrad(() => {
            for (const p of [a, b]) p.assign(p.sub(1));
          });
          realize(a, b);
          return { first, second, squares };
        };
        return step;
      };

      test("can be read after the step", () => {
        use();
        const step = heads(9);
        step();
        const { first, second } = step();
        expect(first.arraySync()).toEqual([-4, -3, -2, -1, 0, 1, 2, 3, 4]);
        expect(second.gt(0).sum().itemSync()).toBe(5);
      });

      test("are no more than fit, those nearest to the loss first", () => {
        use();
        const { first, second } = heads(2 ** 17 + 1)();
        expect(second.mean().itemSync()).toBeCloseTo(1, 3);
        expect(() => first.mean().itemSync()).toThrow(StateError);
      });

      test("do not include what is made of parameters alone", () => {
        use();
        const w = new Tensor(tensor([1, 2])).requiresGrad_();
        const squares = w.square();
        squares
          .sum()
          .add(w.mul(tensor([3, 4])).sum())
          .backward();
        noGrad(() => w.assign(w.sub(w.grad!)));
        realize(w);
        expect(() => squares.arraySync()).toThrow(StateError);
      });
    });

    test("stay if they are read or realized, and else are an error after the next step", () => {
      use();
      const step = classifier();
      const [read, realized, left] = [step(), step(), step()];
      expect(() => read.logits.dataSync()).toThrow(
        /before zeroGrad\(\) or the next step gives it back/,
      );
      expect(() => realized.logp.dataSync()).toThrow(StateError);
      expect(left.logits.dataSync()).toEqual(left.expected);
      const kept = step();
      realize(kept.logits);
      step();
      expect(left.logits.dataSync()).toEqual(left.expected);
      expect(kept.logits.dataSync()).toEqual(kept.expected);
    });

    test("do not take the value of something equal along", () => {
      use();
      const w = tensor(new Float32Array(40).fill(3), { requiresGrad: true });
      const twin = w.detach().square();
      const step = () => {
        const squares = w.square();
        squares.sum().backward();
        const same = noGrad(() => w.square());
        noGrad(() => w.assign(w.sub(1)));
        realize(w);
        return same;
      };
      const same = step();
      step();
      step();
      expect([same, twin].map((t) => t.dataSync()[39])).toEqual([9, 9]);
    });

    test("leave memory flat, and compile nothing in later steps", () => {
      use();
      const w = tensor(new Float32Array(1000).fill(3), { requiresGrad: true });
      const step = () => {
        const squares = w.square();
        squares.mean().backward();
        noGrad(() => w.assign(w.sub(w.peekGrad()!)));
        realize(w);
        w.grad = null;
        return squares.mean();
      };
      for (let i = 0; i < 5; i++) step();
      const before = memoryStats();
      for (let i = 0; i < 100; i++) step();
      expect(memoryStats()).toEqual(before);
    });

    test("are not computed again with a function that is compiled meanwhile", () => {
      use();
      const step = classifier();
      const { logits, expected } = step();
      const twice = logits.mul(2);
      const counter = new Tensor(tensor([0]));
      const count = compile(() => {
        counter.assign(counter.add(1));
        realize(counter);
      });
      for (let i = 0; i < 3; i++) count();
      expect(counter.itemSync()).toBe(3);
      expect(twice.dataSync()).toEqual(expected.map((each) => 2 * each));
    });
  });

  test("also in a function that is compiled", () => {
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
