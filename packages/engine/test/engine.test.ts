import { describe, expect, test } from "vitest";
import {
  constant,
  Engine,
  element,
  expand,
  iota,
  type Node,
  reduce,
  ShapeError,
  StateError,
  scalar,
} from "../src/index.ts";
import { IdleBackend } from "./idle-backend.ts";

const f = (op: Parameters<typeof element>[0], ...inputs: Node[]) => element(op, inputs, "float32");
const number = (value: number) => scalar(value, "float32");

function setUp() {
  const backend = new IdleBackend();
  const engine = new Engine(backend);
  const vector = (length = 1000) => engine.input(new Float32Array(length), [length], "float32");
  return { backend, engine, vector };
}

describe("the plan cache", () => {
  test("finds the plan again for other values, inputs and scalars", () => {
    const { backend, engine, vector } = setUp();
    const w = engine.state(vector());
    for (let step = 1; step <= 5; step++) {
      engine.assign(w, f("sub", w.node, f("mul", vector(), number(1 / step))));
      engine.realize([]);
    }
    expect(backend.programs).toHaveLength(1);
    expect(backend.runs.map(([scalar]) => scalar)).toEqual([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]);
    expect(engine.stats()).toMatchObject({ plans: 1, compiledPlans: 1 });
  });

  test("tells x · x from x · y, shapes, literals and dtypes", () => {
    const { engine, vector } = setUp();
    const [x, y] = [vector(), vector()];
    engine.realize([f("mul", x, x)]);
    engine.realize([f("mul", x, y)]);
    engine.realize([f("mul", vector(500), vector(500))]);
    for (const value of [1, 2, 0, -0, Number.NaN]) {
      engine.realize([f("mul", x, constant(value, "float32"))]);
    }
    expect(engine.stats().compiledPlans).toBe(8);
    engine.realize([f("mul", y, constant(Number.NaN, "float32"))]);
    engine.realize([f("mul", y, y)]);
    expect(engine.stats().compiledPlans).toBe(8);
  });

  test("is bounded", () => {
    const { backend, engine, vector } = setUp();
    for (let length = 1; length <= 300; length++) engine.realize([f("neg", vector(length))]);
    expect(engine.stats().plans).toBeLessThanOrEqual(256);
    expect(backend.disposed).toBe(300 - engine.stats().plans);
  });

  test("computes what outlives a settling once, so that all steps are alike", () => {
    const { backend, engine, vector } = setUp();
    const data = f("exp", vector());
    const w = engine.state(vector());
    engine.realize([]);
    for (let step = 0; step < 3; step++) {
      engine.assign(w, f("add", w.node, data));
      engine.realize([]);
    }
    expect(backend.programs.map(({ kernels }) => kernels[0].label)).toEqual([["exp"], ["add"]]);
    expect(backend.runs).toHaveLength(4);
  });
});

describe("settling", () => {
  test("computes a loss with the step that would make it stale", () => {
    const { backend, engine, vector } = setUp();
    const w = engine.state(vector());
    const loss = f("mul", w.node, vector());
    engine.track(loss);
    engine.assign(w, f("neg", w.node));
    engine.realize([]);
    expect(engine.isSettled(loss)).toBe(true);
    expect(loss.inputs).toEqual([]);
    engine.readSync(loss);
    expect(backend.runs).toHaveLength(1);
  });

  test("computes scalars on the way to what is wanted for who holds them, and nothing else", () => {
    const { backend, engine, vector } = setUp();
    const w = engine.state(vector());
    const held = reduce("sum", f("mul", w.node, vector()), [0]);
    const nobodys = reduce("sum", f("mul", w.node, vector()), [0]);
    const constant = reduce("sum", vector(), [0]);
    const large = f("mul", w.node, vector());
    for (const node of [held, constant, large]) engine.track(node, true);
    engine.track(nobodys);
    const all = [held, nobodys, constant].reduce((a, b) => f("add", a, b));
    engine.track(f("mul", all, large));
    engine.assign(w, f("neg", w.node));
    engine.realize([]);
    const settled = [held, nobodys, constant, large].map((node) => engine.isSettled(node));
    expect(settled).toEqual([true, false, false, false]);
    expect(backend.runs).toHaveLength(1);
  });

  test("refuses what depends on a state that has changed, by its name", () => {
    const { engine, vector } = setUp();
    const w = engine.state(vector());
    w.name = "fc1.weight";
    const left = f("mul", w.node, vector());
    engine.assign(w, f("neg", w.node));
    engine.realize([]);
    expect(() => engine.readSync(left)).toThrow(StateError);
    expect(() => engine.readSync(left)).toThrow(/fc1\.weight, which has changed/);
  });

  test("leaves what depends on other states alone", () => {
    const { engine, vector } = setUp();
    const [w, other] = [engine.state(vector()), engine.state(vector())];
    const y = f("mul", other.node, vector());
    engine.track(y);
    engine.assign(w, f("neg", w.node));
    engine.realize([]);
    expect(engine.isSettled(y)).toBe(false);
    engine.readSync(y);
  });

  test("reads a state through its pending assignments", () => {
    const { engine, vector } = setUp();
    const w = engine.state(vector());
    engine.assign(w, f("neg", w.node));
    engine.assign(w, f("exp", w.node));
    const pending = w.node;
    expect(engine.stats().pendingAssigns).toBe(1);
    engine.readSync(w.node);
    expect(w.version).toBe(1);
    expect(engine.isSettled(pending)).toBe(true);
    expect(engine.stats().pendingAssigns).toBe(0);
  });

  test("gives a state its first value in a plan of its own", () => {
    const { backend, engine } = setUp();
    const w = engine.state(expand(constant(1, "float32"), [1000]));
    for (let step = 0; step < 3; step++) {
      engine.assign(w, f("neg", w.node));
      engine.realize([]);
    }
    expect(backend.programs).toHaveLength(2);
    expect(w.version).toBe(3);
  });

  test("happens by itself before graphs fill the memory", { timeout: 60_000 }, () => {
    const { engine, vector } = setUp();
    let x = vector(4);
    for (let i = 0; i < 80_000; i++) {
      x = f("add", x, number(i));
      engine.track(x);
      if (i % 1000 === 0) engine.track(f("exp", x));
    }
    expect(engine.stats().pendingNodes).toBeLessThan(33_000);
  });

  test("refuses an assignment of another shape or dtype", () => {
    const { engine, vector } = setUp();
    const w = engine.state(vector(4));
    expect(() => engine.assign(w, vector(5))).toThrow(ShapeError);
    expect(() => engine.assign(w, iota(4))).toThrow("assign: the value must be float32 [4]");
  });
});

describe("memory", () => {
  test("stays flat over many steps", () => {
    const { backend, engine, vector } = setUp();
    const w = engine.state(vector());
    const step = () => {
      const y = f("mul", w.node, vector());
      engine.track(y);
      engine.assign(w, f("add", w.node, f("exp", y)));
      engine.realize([]);
      engine.release(y);
    };
    for (let i = 0; i < 10; i++) step();
    const before = { live: backend.live.size, ...engine.stats() };
    for (let i = 0; i < 1000; i++) step();
    expect({ live: backend.live.size, ...engine.stats() }).toEqual(before);
  });

  test("pages out what was not used for longest, and brings it back", () => {
    const { engine } = setUp();
    const large = () => {
      const node = f("neg", engine.input(new Float32Array(1 << 23), [1 << 23], "float32"));
      engine.realize([node]);
      return node;
    };
    const first = large();
    for (let i = 0; i < 20; i++) large();
    expect(engine.stats().residentBytes).toBeLessThanOrEqual(300 * 2 ** 20);
    expect(first.box!.storage.address).toBeUndefined();
    expect(engine.readSync(first)).toHaveLength(1 << 23);
  });

  test("keeps small results on the heap", () => {
    const { backend, engine, vector } = setUp();
    const nodes = Array.from({ length: 100 }, () => f("neg", vector(4)));
    for (const node of nodes) engine.realize([node]);
    expect(engine.stats()).toMatchObject({ residentBytes: 0, residentValues: 0 });
    // The same two each time: for the input, and for the result.
    expect(backend.live.size).toBe(2);
  });

  test("an input that is used again stays resident", () => {
    const { backend, engine, vector } = setUp();
    const x = vector();
    engine.realize([f("neg", x)]);
    expect(engine.stats().residentValues).toBe(1);
    const once = backend.live.size;
    engine.realize([f("exp", x)]);
    expect(engine.stats().residentValues).toBe(3);
    // It takes the memory that it had the first time.
    expect(backend.live.size).toBe(once + 1);
  });
});

test("a recording runs again on other inputs", () => {
  const { backend, engine, vector } = setUp();
  const w = engine.state(vector());
  const x = vector();
  let steps = 0;
  const { result, recording } = engine.record([x], () => {
    const y = f("mul", w.node, x);
    engine.effect(() => {
      steps += 1;
    });
    engine.assign(w, f("add", w.node, y));
    engine.realize([y]);
    return y;
  });
  expect(recording.steps).toHaveLength(2); // the effect and a run
  const [again] = engine.replay(recording, [vector()], [result]);
  expect(again).not.toBe(result);
  expect(engine.readSync(again)).toHaveLength(1000);
  expect(steps).toBe(2);
  expect(w.version).toBe(2);
  expect(backend.programs).toHaveLength(1);
});
