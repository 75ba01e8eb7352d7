import { afterAll, describe, expect, test } from "vitest";
import {
  grad,
  memoryStats,
  noGrad,
  realize,
  setBackend,
  Tensor,
  tensor,
  zeros,
} from "../src/index.ts";

afterAll(() => setBackend("wasm"));

describe.each(["wasm", "js"] as const)("on %s", (backend) => {
  const use = () => setBackend(backend);

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
});
