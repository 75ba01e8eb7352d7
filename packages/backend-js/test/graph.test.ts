import {
  affine,
  check,
  Engine,
  element,
  expand,
  gather,
  IndexError,
  iota,
  matmul,
  type Node,
  permute,
  reduce,
  repeat,
  reshape,
  scalar,
  scan,
  scatter,
  slice,
  sort,
} from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { checkProgram } from "../src/check.ts";
import { JsBackend } from "../src/js-backend.ts";

const setUp = (fusion = true) => new Engine(new JsBackend(checkProgram), { fusion });

const floats = (engine: Engine, values: readonly number[], shape = [values.length]) =>
  engine.input(Float32Array.from(values), shape, "float32");
const ints = (engine: Engine, values: readonly number[], shape = [values.length]) =>
  engine.input(Int32Array.from(values), shape, "int32");
const read = (engine: Engine, node: Node) => Array.from(engine.readSync(node));
const count = (n: number) => Array.from({ length: n }, (_, i) => i);

describe.each([true, false])("graphs, fusion %s", (fusion) => {
  test("gather reads rows at indices, through views, and fuses with what surrounds it", () => {
    const engine = setUp(fusion);
    const table = floats(engine, count(12), [4, 3]);
    const ids = ints(engine, [2, 0, 2]);
    const rows = expand(reshape(check(ids, 4, "embedding"), [3, 1]), [3, 3]);
    const embedded = gather(table, rows, 0);
    expect(read(engine, element("neg", [embedded], "float32"))).toEqual(
      [6, 7, 8, 0, 1, 2, 6, 7, 8].map((x) => -x),
    );
    const columns = expand(reshape(check(ids, 4, "embedding"), [1, 3]), [3, 3]);
    expect(read(engine, gather(permute(table, [1, 0]), columns, 1))).toEqual([
      6, 0, 6, 7, 1, 7, 8, 2, 8,
    ]);
  });

  test("what is gathered from may be computed, and so may the indices", () => {
    const engine = setUp(fusion);
    const x = element("mul", [floats(engine, count(6)), floats(engine, count(6))], "float32");
    const doubled = element("add", [ints(engine, [0, 1, 2]), ints(engine, [0, 1, 2])], "int32");
    expect(read(engine, gather(x, check(doubled, 6, "take"), 0))).toEqual([0, 4, 16]);
  });

  test("an index out of range is an error with the value and the range", () => {
    const engine = setUp(fusion);
    const x = floats(engine, count(6));
    const bad = gather(x, check(ints(engine, [1, 6]), 6, "take"), 0);
    expect(() => read(engine, bad)).toThrow(IndexError);
    expect(() => read(engine, bad)).toThrow("take: an index must be in 0 … 5, got 6.");
    expect(read(engine, gather(x, check(ints(engine, [1, 5]), 6, "take"), 0))).toEqual([1, 5]);
  });

  test("after such an error states are as they were, and can be changed again", () => {
    const engine = setUp(fusion);
    const state = engine.state(floats(engine, [1, 2, 3]));
    engine.realize([]);
    const index = check(ints(engine, [0, 3, 1]), 3, "gather");
    const step = element("add", [state.node, gather(state.node, index, 0)], "float32");
    const next = element("mul", [step, step], "float32");
    engine.assign(state, next);
    expect(() => engine.realize([])).toThrow(IndexError);
    expect(read(engine, state.node)).toEqual([1, 2, 3]);
    engine.assign(state, element("add", [state.node, state.node], "float32"));
    expect(read(engine, state.node)).toEqual([2, 4, 6]);
  });

  test("a state whose first value fails says so when it is used, and no other is harmed", () => {
    const engine = setUp(fusion);
    const x = floats(engine, [5, 6]);
    const bad = engine.state(gather(x, check(ints(engine, [2]), 2, "take"), 0));
    const good = engine.state(element("neg", [x], "float32"));
    expect(read(engine, good.node)).toEqual([-5, -6]);
    expect(() => read(engine, bad.node)).toThrow("take: an index must be in 0 … 1, got 2.");
    const sum = element("add", [bad.node, good.node], "float32");
    expect(() => read(engine, sum)).toThrow(IndexError);
    expect(read(engine, element("neg", [good.node], "float32"))).toEqual([5, 6]);
  });

  test("an index that fails before the step does not stop those behind", () => {
    const engine = setUp(fusion);
    const x = floats(engine, [5, 6]);
    const old = gather(x, check(ints(engine, [2]), 2, "take"), 0);
    const state = engine.state(floats(engine, [1]));
    engine.realize([element("neg", [x], "float32")]);
    engine.assign(state, element("mul", [scan("sum", old, 0), state.node], "float32"));
    expect(() => engine.realize([])).toThrow(IndexError);
    engine.assign(state, element("add", [state.node, state.node], "float32"));
    expect(read(engine, state.node)).toEqual([2]);
  });

  test("scatter combines in order, also for an axis in the middle", () => {
    const engine = setUp(fusion);
    const x = floats(engine, count(12), [2, 3, 2]);
    const index = expand(
      reshape(check(ints(engine, [1, 1, 3]), 4, "scatterAdd"), [1, 3, 1]),
      [2, 3, 2],
    );
    expect(read(engine, scatter("sum", element("neg", [x], "float32"), index, 1, 4))).toEqual(
      [0, 0, 2, 4, 0, 0, 4, 5, 0, 0, 14, 16, 0, 0, 10, 11].map((v) => (v === 0 ? 0 : -v)),
    );
    const last = ints(engine, [1, 2, 3]);
    const target = check(ints(engine, [0, 2, 0]), 3, "scatter");
    expect(read(engine, scatter("max", last, target, 0, 3))).toEqual([3, 0, 2]);
  });

  test("scan runs along any axis", () => {
    const engine = setUp(fusion);
    const x = floats(engine, count(6), [2, 3]);
    const shifted = element("add", [x, x], "float32");
    expect(read(engine, scan("sum", shifted, 1))).toEqual([0, 2, 6, 6, 14, 24]);
    expect(read(engine, scan("sum", x, 0))).toEqual([0, 1, 2, 3, 5, 7]);
    expect(read(engine, scan("prod", x, 1))).toEqual([0, 0, 0, 3, 12, 60]);
    const mixed = reshape(permute(x, [1, 0]), [6]);
    expect(read(engine, element("neg", [scan("sum", mixed, 0)], "float32"))).toEqual(
      [0, 3, 4, 8, 10, 15].map((v) => -v),
    );
    const total = reduce("sum", scan("sum", x, 1), [1]);
    expect(read(engine, total)).toEqual([4, 22]);
  });

  test("sort gives positions, in order, with NaN as the greatest", () => {
    const engine = setUp(fusion);
    const x = floats(engine, [3, Number.NaN, 1, 3, 2, 0], [2, 3]);
    expect(read(engine, sort(x, 1, 3, false))).toEqual([2, 0, 1, 2, 1, 0]);
    expect(read(engine, sort(x, 1, 2, true))).toEqual([1, 0, 0, 1]);
    expect(read(engine, sort(permute(x, [1, 0]), 0, 3, false))).toEqual([2, 2, 0, 1, 1, 0]);
    const negative = element("neg", [x], "float32");
    const order = sort(negative, 1, 3, false);
    expect(read(engine, gather(negative, order, 1)).slice(3)).toEqual([-3, -2, -0]);
  });

  test("affine views give windows with zeros outside", () => {
    const engine = setUp(fusion);
    const x = floats(engine, [1, 2, 3, 4]);
    // position = 2 · window + tap - 1
    const windows = affine(x, [-1], [[2, 1]], [3, 3]);
    expect(read(engine, windows)).toEqual([0, 1, 2, 2, 3, 4, 4, 0, 0]);
    const shifted = affine(element("add", [x, x], "float32"), [-1], [[2, 1]], [3, 3]);
    expect(read(engine, element("neg", [shifted], "float32"))).toEqual(
      [0, 2, 4, 4, 6, 8, 8, 0, 0].map((v) => -v),
    );
  });

  test("a convolution is a product with windows", () => {
    const engine = setUp(fusion);
    const x = floats(engine, count(2 * 2 * 4 * 4), [2, 2, 4, 4]);
    const w = floats(engine, count(3 * 2 * 3 * 3), [3, 2, 3, 3]);
    const identity = [
      [1, 0, 0, 0, 0, 0],
      [0, 1, 0, 0, 0, 0],
      [0, 0, 1, 0, 2, 0],
      [0, 0, 0, 1, 0, 2],
    ];
    const windows = affine(x, [0, 0, -1, -1], identity, [2, 2, 3, 3, 2, 2]);
    const filters = expand(reshape(w, [1, 3, 18]), [2, 3, 18]);
    const y = matmul(filters, reshape(windows, [2, 18, 4]));
    const bias = floats(engine, [1, 2, 3], [3, 1, 1]);
    const result = element("add", [reshape(y, [2, 3, 2, 2]), bias], "float32");
    const { kernels } = engine.explain(result);
    if (fusion) expect(kernels.map(({ kind }) => kind)).toEqual(["matmul"]);
    const expected: number[] = [];
    const at = (n: number, c: number, h: number, v: number) =>
      h < 0 || v < 0 || h > 3 || v > 3 ? 0 : ((n * 2 + c) * 4 + h) * 4 + v;
    for (const n of count(2))
      for (const o of count(3))
        for (const i of count(2))
          for (const j of count(2)) {
            let sum = o + 1;
            for (const c of count(2))
              for (const p of count(3))
                for (const q of count(3)) {
                  sum += at(n, c, 2 * i + p - 1, 2 * j + q - 1) * (((o * 2 + c) * 3 + p) * 3 + q);
                }
            expected.push(sum);
          }
    expect(read(engine, result)).toEqual(expected);
  });

  test("windows whose terms are other loops for each operand do not multiply as they are", () => {
    const engine = setUp(fusion);
    // [6, 4] and [4, 6] windows of 24 terms: position = row + digit.
    const windows = (sizes: readonly number[], x: Node) =>
      affine(x, [0], [[1, ...sizes.map((_, i) => (i === 0 ? 2 : 1))]], [2, ...sizes]);
    const x = floats(engine, count(20));
    const a = reshape(windows([6, 4], x), [2, 24]);
    const b = permute(reshape(windows([4, 6], x), [2, 24]), [1, 0]);
    const at = (inner: number, row: number) =>
      Array.from({ length: 24 }, (_, i) => row + 2 * Math.floor(i / inner) + (i % inner));
    const expected = [0, 1].flatMap((i) =>
      [0, 1].map((j) => {
        const [left, right] = [at(4, i), at(6, j)];
        return left.reduce((sum, value, p) => sum + value * right[p], 0);
      }),
    );
    const product = matmul(a, b);
    expect(read(engine, product)).toEqual(expected);
    const kinds = engine.explain(matmul(a, b)).kernels.map(({ kind }) => kind);
    expect(kinds).toEqual(["loop", "matmul"]);
  });

  test("a kernel that took in later work depends on what came between", () => {
    const engine = setUp(fusion);
    const add = (...inputs: Node[]) => element("add", inputs, "float32");
    const a = floats(engine, count(12), [3, 4]);
    const s = add(a, a);
    const wide = expand(s, [2, 3, 4]);
    const flat = reshape(a, [12]);
    const plus = add(s, reshape(slice(flat, [0], [1], [1]), []));
    const inside = element("lt", [iota(12), scalar(5, "int32")], "bool");
    const third = reshape(slice(reshape(wide, [24]), [3], [1], [1]), []);
    const w = element("where", [inside, flat, third], "float32");
    engine.realize([wide, flat, plus, w, s]);
    expect(read(engine, plus)).toEqual(count(12).map((v) => 2 * v));
    expect(read(engine, w)).toEqual(count(12).map((v) => (v < 5 ? v : 6)));
  });

  test("a loop repeats a step on carried values and elements, either way", () => {
    const engine = setUp(fusion);
    const x = floats(engine, [1, 2, 3, 4, 5, 6], [3, 2]);
    const w = engine.state(floats(engine, [2]));
    const add = (...inputs: Node[]) => element("add", inputs, "float32");
    const mul = (...inputs: Node[]) => element("mul", inputs, "float32");
    const run = (reverse: boolean) =>
      repeat(
        3,
        ([h, n], [e]) => {
          const next = add(mul(h, w.node), e);
          return { carries: [next, add(n, n)], outputs: [h, mul(next, next)] };
        },
        [
          floats(engine, [0, 1]),
          element("mul", [floats(engine, [1]), floats(engine, [1])], "float32"),
        ],
        [x],
        reverse,
      );
    const { carries, outputs } = run(false);
    // h: [0, 1] → [1, 4] → [5, 12] → [15, 30]
    expect(read(engine, add(outputs[0], outputs[0]))).toEqual([0, 2, 2, 8, 10, 24]);
    expect(read(engine, outputs[1])).toEqual([1, 16, 25, 144, 225, 900]);
    expect(read(engine, carries[0])).toEqual([15, 30]);
    expect(read(engine, carries[1])).toEqual([8]);
    // [0, 1] → [5, 8] → [13, 20] → [27, 42]
    const back = run(true);
    expect(read(engine, back.outputs[0])).toEqual([13, 20, 5, 8, 0, 1]);
    expect(read(engine, back.carries[0])).toEqual([27, 42]);
    expect(read(engine, run(true).carries[0])).toEqual([27, 42]);
    const { compiledPlans } = engine.stats();
    expect(read(engine, run(true).carries[0])).toEqual([27, 42]);
    expect(engine.stats().compiledPlans).toBe(compiledPlans);
    engine.assign(w, element("neg", [slice(run(false).carries[0], [0], [1], [1])], "float32"));
    expect(read(engine, w.node)).toEqual([-15]);
  });

  test("loops nest, and matrix products in them read weights from outside", () => {
    const engine = setUp(fusion);
    const w = floats(engine, [1, 1, 0, 1], [2, 2]);
    const inner = ([h]: readonly Node[]) => ({ carries: [matmul(h, w)], outputs: [] });
    const outer = ([h]: readonly Node[], [e]: readonly Node[]) => {
      const { carries } = repeat(3, inner, [element("add", [h, e], "float32")], []);
      return { carries, outputs: carries };
    };
    const x = floats(engine, [1, 0, 1, 0], [2, 1, 2]);
    const { outputs } = repeat(2, outer, [floats(engine, [0, 0], [1, 2])], [x]);
    // [1, 0] → [1, 3]; [2, 3] → [2, 9]
    expect(read(engine, outputs[0])).toEqual([1, 3, 2, 9]);
  });
});
