import { expect, test } from "vitest";
import {
  constant,
  Engine,
  element,
  expand,
  matmul,
  type Node,
  permute,
  reduce,
} from "../src/index.ts";
import { IdleBackend } from "./idle-backend.ts";

const f = (op: Parameters<typeof element>[0], ...inputs: Node[]) => element(op, inputs, "float32");
const turned = (x: Node) => permute(x, [1, 0]);
const input = (engine: Engine, ...shape: number[]) =>
  engine.input(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape, "float32");

/** How many elements all methods of collections look at, or less, while something runs. */
function countLooks(run: () => void): number {
  let count = 0;
  const restore: (() => void)[] = [];
  const watch = (prototype: object, names: readonly string[], looks: (on: never) => number) => {
    for (const name of names) {
      const original: (...args: unknown[]) => unknown = Reflect.get(prototype, name);
      Reflect.set(prototype, name, function (this: never, ...args: unknown[]) {
        count += looks(this);
        return original.apply(this, args);
      });
      restore.push(() => Reflect.set(prototype, name, original));
    }
  };
  const whole = ["every", "filter", "find", "findIndex", "flatMap", "forEach", "includes"];
  watch(
    Array.prototype,
    [...whole, "indexOf", "map", "reduce", "some"],
    ({ length }: unknown[]) => length,
  );
  watch(Set.prototype, ["add", "has"], () => 1);
  watch(Map.prototype, ["get", "has", "set"], () => 1);
  try {
    run();
  } finally {
    for (const undo of restore) undo();
  }
  return count;
}

/** A recurrent network of so many steps and its gradients: what is computed early is needed late. */
function recurrent(engine: Engine, steps: number): void {
  const [w, u] = [input(engine, 8, 8), input(engine, 8, 8)];
  const inputs = Array.from({ length: steps }, () => input(engine, 4, 8));
  const states = [input(engine, 4, 8)];
  for (const x of inputs) {
    states.push(f("tanh", f("add", matmul(x, u), matmul(states[states.length - 1], w))));
  }
  let gradient: Node = expand(constant(1, "float32"), [4, 8]);
  let [ofW, ofU]: (Node | undefined)[] = [];
  for (let t = steps; t > 0; t--) {
    const slope = f("sub", constant(1, "float32"), f("mul", states[t], states[t]));
    const inside = f("mul", gradient, slope);
    const [mine, ours] = [states[t - 1], inputs[t - 1]].map((x) => matmul(turned(x), inside));
    ofW = ofW ? f("add", ofW, mine) : mine;
    ofU = ofU ? f("add", ofU, ours) : ours;
    gradient = matmul(inside, turned(w));
  }
  engine.realize([ofW!, ofU!]);
}

/** A step of gradient descent for so many parameters, none of which depends on another. */
function descent(engine: Engine, count: number): void {
  for (let i = 0; i < count; i++) {
    const state = engine.state(input(engine, 6));
    const gradient = reduce("sum", f("exp", input(engine, 5, 6)), [0]);
    engine.assign(state, f("sub", state.node, f("mul", gradient, constant(0.1, "float32"))));
  }
  engine.realize([]);
}

test.each([
  ["a recurrent network and its gradients", recurrent],
  ["independent updates of parameters", descent],
])("planning %s of twice the size takes twice the work", (_, record) => {
  const looks = (size: number) => {
    const backend = new IdleBackend();
    const engine = new Engine(backend);
    const count = countLooks(() => record(engine, size));
    const { kernels } = backend.programs[backend.programs.length - 1];
    expect(kernels.length).toBeGreaterThan(0.9 * size);
    return count;
  };
  expect(looks(600) / looks(300)).toBeLessThan(2.2);
});
