import { describe, expect, test } from "vitest";
import {
  cat,
  constant,
  Engine,
  element,
  expand,
  iota,
  type LoopKernel,
  matmul,
  type Node,
  type PlanOptions,
  type Program,
  pad,
  permute,
  reduce,
  reshape,
  scalar,
  slice,
} from "../src/index.ts";
import { IdleBackend } from "./idle-backend.ts";

const f = (op: Parameters<typeof element>[0], ...inputs: Node[]) => element(op, inputs, "float32");
const number = (value: number) => scalar(value, "float32");

/** What an engine plans for the nodes that `make` records. */
function plan(make: (engine: Engine) => readonly Node[], options: PlanOptions = {}): Program {
  const backend = new IdleBackend();
  const engine = new Engine(backend, options);
  engine.realize(make(engine));
  return backend.programs[backend.programs.length - 1];
}

/** A matrix of floats. */
const input = (engine: Engine, ...shape: number[]) =>
  engine.input(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape, "float32");

const labels = ({ kernels }: Program) =>
  kernels.map(({ kind, label }) => `${kind}: ${label.join(" ")}`);

function softmax(x: Node): Node {
  const keep = [...x.shape.slice(0, -1), 1];
  const axis = [x.shape.length - 1];
  const e = f("exp", f("sub", x, reshape(reduce("max", x, axis), keep)));
  return f("div", e, reshape(reduce("sum", e, axis), keep));
}

function layerNorm(x: Node, weight: Node): Node {
  const [rows, size] = x.shape;
  const mean = (y: Node) => reshape(f("div", reduce("sum", y, [1]), number(size)), [rows, 1]);
  const centred = f("sub", x, mean(x));
  const variance = mean(f("mul", centred, centred));
  return f("mul", f("div", centred, f("sqrt", f("add", variance, number(1e-5)))), weight);
}

describe("fusion", () => {
  test("a chain of element operations is one kernel, whatever views are between", () => {
    const program = plan((engine) => {
      const x = input(engine, 8, 16);
      const y = reshape(permute(f("mul", f("neg", x), number(2)), [1, 0]), [4, 4, 8]);
      return [f("add", slice(y, [3, 0, 0], [-1, 1, 1], [4, 4, 8]), number(1))];
    });
    expect(labels(program)).toEqual(["loop: neg mul add"]);
    expect(program.arenaBytes).toBe(0);
  });

  test("bias and activation are the epilogue of a matrix product, also behind a reshape", () => {
    const program = plan((engine) => {
      const product = matmul(input(engine, 12, 5), permute(input(engine, 8, 5), [1, 0]));
      const biased = f("add", reshape(product, [3, 4, 8]), input(engine, 8));
      return [f("add", f("max", biased, constant(0, "float32")), input(engine, 3, 4, 8))];
    });
    expect(labels(program)).toEqual(["matmul: matmul add max"]);
  });

  test("softmax is one kernel that keeps the row", () => {
    const program = plan((engine) => [softmax(input(engine, 2, 3, 64))]);
    expect(labels(program)).toEqual(["loop: max sub exp sum div"]);
    const { stages, scratch } = program.kernels[0] as LoopKernel;
    expect(stages.map(({ inner }) => inner)).toEqual([[64], [64], [64]]);
    expect(scratch).toEqual([{ dtype: "float32", length: 64 }]);
  });

  test("layer norm is one kernel, with the root once a row", () => {
    const program = plan((engine) => [layerNorm(input(engine, 32, 64), input(engine, 64))]);
    expect(program.kernels).toHaveLength(1);
    const { stages } = program.kernels[0] as LoopKernel;
    const root = stages.find(({ code }) => code.some(({ op }) => op === "sqrt"))!;
    expect(root.inner).toEqual([]);
  });

  test("two reductions of the same rows that one expression uses are one pass", () => {
    const program = plan((engine) => {
      const [x, y] = [input(engine, 32, 64), input(engine, 32, 64)];
      const row = (z: Node) => reshape(reduce("sum", z, [1]), [32, 1]);
      return [f("sub", f("mul", x, row(y)), row(f("mul", x, y)))];
    });
    expect(program.kernels).toHaveLength(1);
    expect((program.kernels[0] as LoopKernel).stages[0].results).toHaveLength(2);
  });

  test("an optimizer's update joins the gradient that it uses", () => {
    const program = plan((engine) => {
      const [w, m] = [engine.state(input(engine, 6, 4)), engine.state(input(engine, 6, 4))];
      const gradient = matmul(permute(input(engine, 9, 6), [1, 0]), input(engine, 9, 4));
      engine.assign(m, f("add", f("mul", m.node, number(0.9)), f("mul", gradient, number(0.1))));
      engine.assign(w, f("sub", w.node, f("mul", m.node, number(0.01))));
      return [];
    });
    expect(labels(program)).toEqual(["matmul: matmul mul add sub"]);
    expect(program.kernels[0].kind === "matmul" && program.kernels[0].epilogue.stores).toHaveLength(
      2,
    );
    expect(program.arenaBytes).toBe(0);
  });

  test("a product that is only used transposed is computed transposed", () => {
    const program = plan((engine) => {
      const product = matmul(input(engine, 6, 9), input(engine, 9, 4));
      return [f("add", permute(product, [1, 0]), input(engine, 4, 6))];
    });
    expect(labels(program)).toEqual(["matmul: matmul add"]);
    const [kernel] = program.kernels;
    expect(kernel.kind === "matmul" && [kernel.m, kernel.n, kernel.k]).toEqual([4, 6, 9]);
    expect(kernel.kind === "matmul" && kernel.epilogue.stores[0].access.strides).toEqual([6, 1]);
  });

  test("a product that is used both ways is computed once", () => {
    const program = plan((engine) => {
      const product = matmul(input(engine, 6, 9), input(engine, 9, 6));
      return [f("add", permute(product, [1, 0]), product)];
    });
    expect(labels(program)).toEqual(["matmul: matmul", "loop: add"]);
  });

  test("parts of a cat are written where they belong", () => {
    const program = plan((engine) => {
      const [x, y] = [input(engine, 4, 3), input(engine, 4, 5)];
      return [cat([f("neg", x), matmul(input(engine, 4, 2), input(engine, 2, 5)), y], 1)];
    });
    expect(labels(program).sort()).toEqual(["loop: copy", "loop: neg", "matmul: matmul"]);
    expect(program.arenaBytes).toBe(0);
  });

  test("padding is a guard, and not a copy", () => {
    const program = plan((engine) => [
      f("add", pad(input(engine, 4, 4), [1, 0], [0, 2]), number(1)),
    ]);
    const [kernel] = program.kernels as LoopKernel[];
    const load = kernel.stages[0].code.find(({ op }) => op === "load");
    expect(load?.op === "load" && load.guards.map(({ size }) => size)).toEqual([4, 4]);
  });

  test("padding after an operation gives zeros, not what the operation makes of zeros", () => {
    const program = plan((engine) => [pad(f("exp", input(engine, 4)), [1], [1])]);
    expect(labels(program)).toEqual(["loop: exp le and where"]);
  });

  test("a long reduction is cut in two, so that threads can share it", () => {
    const program = plan((engine) => [reduce("sum", input(engine, 1024, 1024), [0, 1])]);
    expect(labels(program)).toEqual(["loop: sum", "loop: sum"]);
    expect((program.kernels[0] as LoopKernel).outer[0]).toBeGreaterThan(31);
  });

  test("a reduction of many long rows to one is cut in two, so that few pages of memory are read in turns", () => {
    const program = plan((engine) => [reduce("max", input(engine, 1000, 512), [0])]);
    expect(labels(program)).toEqual(["loop: max", "loop: max"]);
    expect((program.kernels[0] as LoopKernel).outer).toEqual([50, 512]);
    const turned = plan((engine) => [
      reduce("max", permute(input(engine, 512, 1000), [1, 0]), [0]),
    ]);
    expect(labels(turned)).toEqual(["loop: max"]);
  });

  test("what costs much and is used twice is computed once", () => {
    const program = plan((engine) => {
      const e = f("exp", input(engine, 8, 8));
      return [matmul(e, input(engine, 8, 2)), f("add", permute(e, [1, 0]), input(engine, 8, 8))];
    });
    expect(labels(program).filter((label) => label.includes("exp"))).toHaveLength(1);
  });

  test("a product reads a reshape of a transpose where it is", () => {
    const program = plan((engine) => {
      const x = permute(input(engine, 4, 3, 2), [1, 0, 2]);
      return [matmul(reshape(x, [3, 8]), input(engine, 8, 2))];
    });
    expect(labels(program)).toEqual(["matmul: matmul"]);
  });

  test("a reshape that no loops can express is copied first", () => {
    const program = plan((engine) => {
      const x = slice(input(engine, 4, 6), [0, 0], [1, 1], [4, 5]);
      return [matmul(reshape(x, [10, 2]), input(engine, 2, 2))];
    });
    expect(labels(program)).toEqual(["loop: copy", "matmul: matmul"]);
  });

  test("without fusion every operation is a kernel", () => {
    const program = plan((engine) => [softmax(input(engine, 4, 64))], { fusion: false });
    expect(labels(program)).toEqual([
      "loop: max",
      "loop: sub",
      "loop: exp",
      "loop: sum",
      "loop: div",
    ]);
  });

  test("long chains are cut, and are no reason to recurse", () => {
    const program = plan((engine) => {
      let x = input(engine, 4);
      for (let i = 0; i < 5000; i++) x = f("add", x, number(i));
      return [x];
    });
    expect(program.kernels.length).toBeGreaterThan(10);
    expect(program.kernels.length).toBeLessThan(500);
  });
});

describe("states", () => {
  test("a state is changed after all that read its old value", () => {
    const program = plan((engine) => {
      const w = engine.state(input(engine, 4, 4));
      const old = w.node;
      engine.assign(w, f("mul", old, number(2)));
      return [matmul(old, input(engine, 4, 4))];
    });
    expect(labels(program)).toEqual(["matmul: matmul", "loop: mul"]);
    expect(program.barriers[1]).toBe(true);
  });

  test("two states that take each other's value keep the old ones until both are read", () => {
    const program = plan((engine) => {
      const [a, b] = [engine.state(input(engine, 4)), engine.state(input(engine, 4))];
      const [oldA, oldB] = [a.node, b.node];
      engine.assign(a, f("add", oldB, number(1)));
      engine.assign(b, f("add", oldA, number(1)));
      return [];
    });
    expect(program.kernels).toHaveLength(3);
    expect(program.arenaBytes).toBeGreaterThan(0);
  });

  test("a state that is turned around is not overwritten while it is read", () => {
    const program = plan((engine) => {
      const w = engine.state(input(engine, 4, 4));
      engine.assign(w, f("neg", permute(w.node, [1, 0])));
      return [];
    });
    expect(labels(program)).toEqual(["loop: neg", "loop: copy"]);
  });
});

test("equal expressions are computed once", () => {
  const program = plan((engine) => {
    const x = input(engine, 64);
    return [f("mul", f("exp", x), f("sin", f("exp", x)))];
  });
  expect(program.kernels[0].label).toEqual(["exp", "sin", "mul"]);
  const { code } = (program.kernels[0] as LoopKernel).stages[0];
  expect(code.filter(({ op }) => op === "exp")).toHaveLength(1);
});

test("index arithmetic needs no memory", () => {
  const program = plan(() => {
    const rows = expand(reshape(iota(5), [5, 1]), [5, 7]);
    return [element("lt", [rows, iota(7)], "bool")];
  });
  expect(program.buffers).toHaveLength(1);
});
