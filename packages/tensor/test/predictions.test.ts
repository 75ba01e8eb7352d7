import { StateError } from "@gradloom/engine";
import { afterAll, describe, expect, test } from "vitest";
import {
  compile,
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
});
