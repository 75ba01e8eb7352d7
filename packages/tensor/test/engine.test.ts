import { ArgumentError } from "@gradloom/engine";
import { afterEach, describe, expect, test } from "vitest";
import { ones, tensor } from "../src/create.ts";
import { memoryStats, realize, setBackend, setNumThreads, settle } from "../src/engine.ts";
import { randn } from "../src/random.ts";

afterEach(() => setBackend("wasm"));

describe("setBackend", () => {
  test("takes values along, computed and not", () => {
    setBackend("wasm");
    const state = tensor([1, 2]).assign(tensor([3, 4]));
    const computed = ones([300]).mul(2);
    realize(computed);
    const recorded = computed.sum().add(state.sum());
    setBackend("js");
    expect(recorded.itemSync()).toBe(607);
    expect(computed.dataSync()[299]).toBe(2);
    state.assign(state.add(1));
    setBackend("wasm");
    expect(state.arraySync()).toEqual([4, 5]);
  });

  test("computes the same on both", () => {
    const x = randn([50, 20]);
    const compute = () => x.matmul(x.t()).softmax(-1).sum(0).dataSync();
    const fast = compute();
    setBackend("js");
    const slow = compute();
    for (let i = 0; i < fast.length; i++) expect(fast[i]).toBeCloseTo(slow[i], 5);
  });

  test("refuses a name that it does not know", () => {
    expect(() => setBackend("webgpu" as "wasm")).toThrow(ArgumentError);
    expect(() => setBackend("webgpu" as "wasm")).toThrow(
      'setBackend: name must be "wasm" or "js", got webgpu.',
    );
  });

  test("refuses options that a backend does not have", () => {
    expect(() => setBackend("js", { wideSimd: true })).toThrow(
      'setBackend: wideSimd is for "wasm", got js.',
    );
    expect(() => setBackend("wasm", { wide: true } as object)).toThrow(
      "setBackend: options must be among wideSimd, got wide.",
    );
  });
});

describe("setNumThreads", () => {
  test("changes no bit", () => {
    const x = randn([256, 256]);
    const compute = () => x.matmul(x).exp().sum(1).dataSync();
    setNumThreads(1);
    const one = compute();
    setNumThreads(2);
    expect(compute()).toEqual(one);
  });

  test.each([0, 1.5, -1])("refuses %s", (count) => {
    expect(() => setNumThreads(count)).toThrow(ArgumentError);
  });
});

describe("other shapes", () => {
  test("of more rows are computed by the same code", () => {
    const w = randn([64, 40]);
    const b = randn([40]);
    // Products, what is fused to them, rows, and elements.
    const compute = (rows: number) => {
      const hidden = ones([rows, 64]).matmul(w).add(b).relu();
      return hidden.softmax(-1).mul(hidden.exp().sub(1)).dataSync();
    };
    const before = compute(300);
    const { compiledKernels, compiledPlans } = memoryStats();
    expect(compute(301).slice(0, before.length)).toEqual(before);
    const after = memoryStats();
    expect(after.compiledPlans).toBeGreaterThan(compiledPlans);
    expect(after.compiledKernels).toBe(compiledKernels);
  });

  test("of more terms in a product, too", () => {
    const compute = (terms: number) =>
      ones([100, terms])
        .matmul(ones([terms, 50]))
        .add(1)
        .sigmoid()
        .neg()
        .dataSync();
    compute(200);
    const { compiledKernels } = memoryStats();
    expect(compute(300)[0]).toBe(-1);
    expect(memoryStats().compiledKernels).toBe(compiledKernels);
  });
});

describe("realize", () => {
  test("computes what would go stale", () => {
    const w = tensor([1, 2]).assign(tensor([3, 4]));
    const before = w.mul(10);
    const alsoBefore = before.add(1);
    realize(before);
    w.assign(tensor([5, 6]));
    settle([w]);
    expect(before.arraySync()).toEqual([30, 40]);
    expect(alsoBefore.arraySync()).toEqual([31, 41]);
  });

  test("a result that was left out is never a wrong number", () => {
    const w = tensor([1, 2]).assign(tensor([3, 4]));
    const used = w.mul(10);
    const result = used.sum();
    w.assign(tensor([5, 6]));
    realize(w);
    expect(result.itemSync()).toBe(70); // nothing had consumed it: it came along
    // It was recorded on the value that was assigned, not on the state: that value is still there.
    expect(used.arraySync()).toEqual([30, 40]);
  });

  test("a value that is there costs nothing to read again", () => {
    const x = ones([10]).add(1);
    realize(x);
    const { compiledPlans } = memoryStats();
    x.dataSync();
    realize(x, x);
    expect(memoryStats().compiledPlans).toBe(compiledPlans);
  });
});

test("memoryStats counts", () => {
  const before = memoryStats();
  const kept = tensor(new Float32Array(100_000)).add(1);
  realize(kept);
  const after = memoryStats();
  expect(after.residentBytes - before.residentBytes).toBeGreaterThanOrEqual(400_000);
  expect(after.memoryBytes).toBeGreaterThan(0);
  expect(after.pendingAssigns).toBe(0);
  expect(kept.dataSync().length).toBe(100_000);
});
