import { ArgumentError, StateError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { compile, live, onEachRun } from "../src/compile.ts";
import { ones, tensor, zeros } from "../src/create.ts";
import { watch } from "../src/encounters.ts";
import { memoryStats, settle } from "../src/engine.ts";
import { manualSeed } from "../src/generator.ts";
import { noGrad } from "../src/grad-mode.ts";
import { Tensor } from "../src/tensor.ts";
import { grad } from "../src/transforms/grad.ts";

test("computes what the function computes, on new inputs and new shapes", () => {
  let calls = 0;
  const double = compile((x: Tensor) => {
    calls++;
    return x.mul(2).add(1);
  });
  expect(double(tensor([1, 2])).arraySync()).toEqual([3, 5]);
  expect(double(tensor([3, 4])).arraySync()).toEqual([7, 9]);
  expect(double(tensor([[5]])).arraySync()).toEqual([[11]]);
  expect(double(tensor([3, 4], { dtype: "int32" })).dtype).toBe("int32");
  expect(calls).toBe(3);
});

test("runs again where what it watches is something else, and remembers both", () => {
  let calls = 0;
  let factor = 2;
  const scaled = compile((x: Tensor) => {
    calls++;
    return x.mul(watch(() => factor));
  });
  const results = [2, 3, 2, 3, 3].map((now) => {
    factor = now;
    return scaled(tensor([5])).itemSync();
  });
  expect(results).toEqual([10, 15, 10, 15, 15]);
  expect(calls).toBe(2);
});

test("gives lists and objects of tensors, or nothing", () => {
  const both = compile((x: Tensor) => ({ twice: x.mul(2), half: x.div(2) }));
  both(tensor([2]));
  const { twice, half } = both(tensor([6]));
  expect([twice.itemSync(), half.itemSync()]).toEqual([12, 3]);
  const list = compile((x: Tensor) => [x.neg(), x]);
  list(tensor([1]));
  expect(list(tensor([2])).map((x) => x.itemSync())).toEqual([-2, 2]);
  expect(compile(() => undefined)()).toBeUndefined();
  const wrong = compile(() => 3);
  expect(() => wrong()).toThrow(ArgumentError);
  expect(() => wrong()).toThrow(
    "compile: fn must return a tensor, a list or an object of tensors, got number.",
  );
});

test("earlier results stay what they were", () => {
  const square = compile((x: Tensor) => x.square());
  const results = [1, 2, 3].map((value) => square(tensor([value])));
  expect(results.map((x) => x.itemSync())).toEqual([1, 4, 9]);
});

test("trains: assigns at each call and compiles nothing", () => {
  const train = (step: (x: Tensor, y: Tensor) => Tensor, w: Tensor) => {
    const losses = Array.from({ length: 5 }, (_, i) => {
      return step(tensor([1, 2, i]), tensor([2, 4, 2 * i])).itemSync();
    });
    return [...losses, w.itemSync()];
  };
  const make = () => {
    const w = new Tensor(tensor([0])).requiresGrad_();
    const step = (x: Tensor, y: Tensor) => {
      w.grad = null;
      const loss = x.mul(w).sub(y).square().mean();
      loss.backward();
      noGrad(() => w.assign(w.sub(w.grad?.mul(0.1) ?? 0)));
      return loss;
    };
    return { w, step };
  };
  const plain = make();
  const compiled = make();
  const step = compile(compiled.step);
  const expected = train(plain.step, plain.w);
  expect(train(step, compiled.w)).toEqual(expected);
  expect(expected[5]).toBeCloseTo(2, 0);
  const before = memoryStats().compiledPlans;
  step(tensor([1, 2, 3]), tensor([2, 4, 6]));
  expect(memoryStats().compiledPlans).toBe(before);
});

test("what is made of an input before a step, and used behind it again, is new at each call", () => {
  const w = new Tensor(tensor([2]));
  const step = compile((x: Tensor) => {
    const sum = x.exp().sum();
    w.assign(w.mul(sum));
    settle([]);
    w.assign(w.add(sum));
    settle([]);
    return sum.mul(3);
  });
  let expected = 2;
  for (const value of [0, 1, 2]) {
    const sum = 2 * Math.exp(value);
    expected = expected * sum + sum;
    expect(step(tensor([value, value])).itemSync()).toBeCloseTo(3 * sum, 4);
  }
  expect(w.itemSync() / expected).toBeCloseTo(1, 5);
});

test("random numbers are new at each call, and the same as without compiling", () => {
  const drop = (x: Tensor) => x.dropout(0.5);
  const draw = (fn: (x: Tensor) => Tensor) => {
    manualSeed(7);
    return [0, 1, 2].map(() => fn(ones([20])).arraySync());
  };
  const expected = draw(drop);
  expect(draw(compile(drop))).toEqual(expected);
  expect(expected[0]).not.toEqual(expected[1]);
});

test("live numbers are asked for at each call", () => {
  let step = 0;
  const scale = compile((x: Tensor) => {
    onEachRun(() => {
      step++;
    });
    return x.mul(live(() => 10 * step, x));
  });
  const results = [1, 2, 3].map((value) => scale(tensor([value])).itemSync());
  expect(results).toEqual([10, 40, 90]);
});

test("the same tensor may be given twice, and be used from outside as well", () => {
  const outside = tensor([100]);
  const sum = compile((a: Tensor, b: Tensor) => a.mul(10).add(b).add(outside));
  expect(sum(outside, outside).itemSync()).toBe(1200);
  expect(sum(tensor([1]), tensor([2])).itemSync()).toBe(112);
});

test("a state may be an input, also of a function that assigns to it", () => {
  const w = tensor([1]).assign(tensor([2]));
  const grow = compile((x: Tensor) => {
    w.assign(x.mul(3));
    return x.add(1);
  });
  expect(grow(w).itemSync()).toBe(3);
  expect(grow(w).itemSync()).toBe(7);
  expect(w.itemSync()).toBe(18);
});

test("backward notices that a replayed call has assigned", () => {
  const w = new Tensor(tensor([1])).requiresGrad_();
  const grow = compile(() => {
    noGrad(() => w.assign(w.mul(2)));
  });
  grow();
  const loss = w.square().sum();
  grow();
  expect(() => loss.backward()).toThrow(StateError);
});

test("compiled functions may call each other", () => {
  const inner = compile((x: Tensor) => x.add(1));
  const outer = compile((x: Tensor) => inner(inner(x)).mul(2));
  expect(outer(tensor([1])).itemSync()).toBe(6);
  expect(outer(tensor([2])).itemSync()).toBe(8);
});

test("results carry no history", () => {
  const w = tensor([2], { requiresGrad: true });
  const f = compile((x: Tensor) => x.mul(w));
  expect(f(tensor([1])).requiresGrad).toBe(false);
  expect(f(tensor([1])).requiresGrad).toBe(false);
});

test("a tensor that is assigned to later for the first time is heeded", () => {
  let calls = 0;
  const outside = tensor([100]);
  const shared = tensor([10]);
  const sum = compile((x: Tensor) => {
    calls++;
    return x.add(outside).add(shared.mul(2));
  });
  expect(sum(tensor([1])).itemSync()).toBe(121);
  expect(sum(tensor([2])).itemSync()).toBe(122);
  expect(calls).toBe(1);
  outside.assign(tensor([200]));
  expect(sum(tensor([1])).itemSync()).toBe(221);
  expect(calls).toBe(2);
  // What is a state is read anew each time.
  outside.assign(tensor([300]));
  expect(sum(tensor([1])).itemSync()).toBe(321);
  expect(calls).toBe(2);
  // Another tensor that shares the value makes it one as well.
  new Tensor(shared).assign(tensor([0]));
  expect(sum(tensor([1])).itemSync()).toBe(301);
  expect(calls).toBe(3);
});

test("a clone of a state is its value in each call, whatever it is assigned later", () => {
  const run = (wrap: (fn: (x: Tensor) => Tensor[]) => (x: Tensor) => Tensor[]) => {
    const state = new Tensor(zeros([1]));
    const step = wrap((x) => {
      const before = state.clone();
      const kept = state.detach().clone();
      state.assign(x);
      state.assign(state.add(before));
      return [before, kept.mul(2), state.clone()];
    });
    return [1, 10, 100].map((value) => step(tensor([value])).map((result) => result.itemSync()));
  };
  const expected = [
    [0, 0, 1],
    [1, 2, 11],
    [11, 22, 111],
  ];
  expect(run((fn) => fn)).toEqual(expected);
  expect(run(compile)).toEqual(expected);
});

test("a clone that something has used is still there when the state has changed", () => {
  const run = (size: number, wrap: (fn: (x: Tensor) => Tensor[]) => (x: Tensor) => Tensor[]) => {
    const state = new Tensor(ones([size]));
    const step = wrap((x) => {
      const before = state.detach().clone();
      const product = before.mul(x).sum();
      for (const factor of [2, 3]) {
        state.assign(state.mul(factor).sub(before.mul(x)));
        settle([state]);
      }
      return [product, state.sub(before), before];
    });
    return [1, 2, 3].map((value) => step(tensor([value])).map((result) => result.arraySync()));
  };
  // Small values are copied to the heap, larger ones stay where they are.
  for (const size of [2, 100]) expect(run(size, compile)).toEqual(run(size, (fn) => fn));
  const expected = [
    [1, [1], [1]],
    [4, [-6], [2]],
    [-12, [28], [-4]],
  ];
  expect(run(1, compile)).toEqual(expected);
});

test("a weight that no module has may be trained outside of the compiled function", () => {
  const train = (wrap: (fn: (x: Tensor) => Tensor) => (x: Tensor) => Tensor) => {
    const w = ones([64]).mul(0.5).clone().requiresGrad_();
    const step = wrap((x) => {
      w.grad = null;
      const loss = x.mul(w).sub(1).square().mean();
      loss.backward();
      return loss;
    });
    return Array.from({ length: 5 }, (_, i) => {
      const loss = step(ones([64]).add(i / 4)).itemSync();
      noGrad(() => w.assign(w.sub(w.grad!.mul(8))));
      return [loss, w.sum().itemSync()];
    });
  };
  const expected = train((fn) => fn);
  expect(train(compile)).toEqual(expected);
  expect(expected[4][0]).toBeLessThan(expected[0][0]);
});

test("gradients that a call leaves behind are its own, also where there are none", () => {
  const w = new Tensor(ones([64])).requiresGrad_();
  const gradient = compile((x: Tensor) => {
    w.grad = null;
    w.mul(x).sum().backward();
  });
  const kept = [1, 2, 3].map((value) => {
    gradient(tensor([value]));
    return w.grad!;
  });
  expect(kept.map((g) => g.sum().itemSync())).toEqual([64, 128, 192]);
  const forget = compile(() => {
    w.grad = null;
  });
  forget();
  expect(w.grad).toBeNull();
  gradient(tensor([5]));
  forget();
  expect(w.grad).toBeNull();
  gradient(tensor([7]));
  gradient(tensor([7]));
  expect(w.grad!.sum().itemSync()).toBe(448);
});

test("gradients from before are those of each call", () => {
  const w = new Tensor(ones([64])).requiresGrad_();
  const add = compile((x: Tensor) => {
    w.mul(x).sum().backward();
  });
  for (const value of [1, 2, 3]) add(tensor([value]));
  expect(w.grad!.sum().itemSync()).toBe(64 * 6);
  w.grad = null;
  for (const value of [4, 5]) add(tensor([value]));
  expect(w.grad!.sum().itemSync()).toBe(64 * 9);
  const read = compile(() => w.grad!.mul(2));
  expect(read().sum().itemSync()).toBe(64 * 18);
  w.grad = ones([64]);
  expect(read().sum().itemSync()).toBe(128);
});

test("which leaves require a gradient is heeded, and those that are frozen for a while compile once", () => {
  const [a, b] = [2, 3].map((x) => new Tensor(tensor(x)).requiresGrad_());
  let calls = 0;
  const product = compile((x: Tensor) => {
    x.mul(a).mul(b).sum().backward();
  });
  const freezing = compile((x: Tensor) => {
    calls++;
    a.requiresGrad_(false);
    x.mul(a).add(b).sum().backward();
    a.requiresGrad_(true);
  });
  const gradientsOf = (step: (x: Tensor) => void) => {
    a.grad = null;
    b.grad = null;
    step(tensor([1]));
    return [a, b].map(({ grad }) => grad?.itemSync());
  };
  for (const isTrained of [false, true, false, true]) {
    b.requiresGrad_(isTrained);
    expect(gradientsOf(product)).toEqual([3, isTrained ? 2 : undefined]);
  }
  for (let i = 0; i < 3; i++) expect(gradientsOf(freezing)).toEqual([undefined, 1]);
  expect(calls).toBe(1);
});

test("gradients of inputs are those of the function, and in noGrad it is another one", () => {
  const w = new Tensor(tensor([2])).requiresGrad_();
  const f = compile((x: Tensor) => x.square().mul(w).sum());
  expect(f(tensor([3])).itemSync()).toBe(18);
  expect(grad(f)(tensor([3])).itemSync()).toBe(12);
  const x = tensor([3], { requiresGrad: true });
  x.mul(5).add(f(x)).sum().backward();
  expect(x.grad!.itemSync()).toBe(17);
  const slope = compile((x: Tensor) => {
    const y = x.square().mul(w);
    return y.requiresGrad ? grad(y, [w])[0] : y;
  });
  const both = () => [noGrad(() => slope(tensor([3]))), slope(tensor([3]))];
  for (let i = 0; i < 2; i++) expect(both().map((y) => y.itemSync())).toEqual([18, 9]);
});

test("a tensor that is used detached and becomes a state is heeded", () => {
  const offset = tensor([1]);
  const shifted = compile((x: Tensor) => x.add(offset.detach()));
  expect(shifted(tensor([2])).itemSync()).toBe(3);
  offset.assign(tensor([5]));
  expect(shifted(tensor([2])).itemSync()).toBe(7);
});

test("a tensor must be a state before it can be assigned to inside", () => {
  const w = tensor([1]);
  const grow = compile((x: Tensor) => {
    w.assign(w.mul(x));
  });
  expect(() => grow(tensor([2]))).toThrow(StateError);
  expect(() => grow(tensor([2]))).toThrow(
    "assign: a state must not be made inside of compile(). Make it outside: new Tensor(x).",
  );
  expect(w.itemSync()).toBe(1);
});

test("a state must not be made of inputs inside, where later calls would not make it again", () => {
  const make = compile((x: Tensor) => new Tensor(x.sum().mul(2)).mul(1));
  expect(() => make(tensor([1, 2]))).toThrow(StateError);
  expect(() => make(tensor([1, 2]))).toThrow(
    "new Tensor: a state must not be made of inputs inside of compile(). Make it outside.",
  );
  expect(() => compile((x: Tensor) => new Tensor(x).mul(1))(tensor([1]))).toThrow(StateError);
  // One that is made of something else starts once, and goes on.
  let total: Tensor | undefined;
  const add = compile((x: Tensor) => {
    total ??= new Tensor(zeros([2]));
    return total.assign(total.add(x)).mul(1);
  });
  const totals = [tensor([1, 2]), tensor([3, 4])].map((x) => add(x).arraySync());
  expect(totals).toEqual([
    [1, 2],
    [4, 6],
  ]);
});

test("reading inside, and promises, are refused", () => {
  const reads = compile((x: Tensor) => x.mul(x.sum().itemSync()));
  expect(() => reads(tensor([1]))).toThrow(StateError);
  expect(() => reads(tensor([1]))).toThrow(
    "dataSync: values must not be read inside of compile(). Return the tensor, and read it outside.",
  );
  expect(tensor([1]).itemSync()).toBe(1);
  const waits = compile(async (x: Tensor) => x);
  expect(() => waits(tensor([1]))).toThrow(
    "compile: fn must be synchronous, got one that returns a promise.",
  );
});
