import { describe, expect, test } from "vitest";
import {
  explain,
  grad,
  gradcheck,
  IndexError,
  manualSeed,
  memoryStats,
  rand,
  randn,
  scan,
  stack,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.ts";

type Cell = (h: Tensor, x: Tensor, w: Tensor, b: Tensor) => Tensor;

const tanhCell: Cell = (h, x, w, b) => x.add(h.matmul(w)).add(b).tanh();

/** The same by a loop in the caller. */
function unrolled(cell: Cell, h: Tensor, xs: Tensor, w: Tensor, b: Tensor): [Tensor, Tensor] {
  const all: Tensor[] = [];
  for (const x of xs.unbind(0)) {
    h = cell(h, x, w, b);
    all.push(h);
  }
  return [h, stack(all)];
}

function scanned(cell: Cell, h: Tensor, xs: Tensor, w: Tensor, b: Tensor): [Tensor, Tensor] {
  const [[last], [all]] = scan(
    ([state], [x]) => {
      const next = cell(state, x, w, b);
      return [[next], [next]];
    },
    [h],
    [xs],
  );
  return [last, all];
}

function problem(dtype: "float32" | "float64" = "float64") {
  manualSeed(3);
  const make = (...shape: number[]) => randn(shape, { dtype }).requiresGrad_();
  return { h: make(2, 3), xs: make(5, 2, 3), w: make(3, 3), b: make(3) };
}

describe("scan", () => {
  test("is the loop that it stands for, with all gradients", () => {
    const { h, xs, w, b } = problem();
    const weight = randn([5, 2, 3], { dtype: "float64" });
    const results = [unrolled, scanned].map((run) => {
      const [last, all] = run(tanhCell, h, xs, w, b);
      const loss = last.square().sum().add(all.mul(weight).sum());
      return [last, all, ...grad(loss, [h, xs, w, b])].map((t) => t.arraySync());
    });
    results[0].forEach((expected, i) => {
      expect(
        tensor(results[1][i] as number[])
          .sub(tensor(expected as number[]))
          .abs()
          .max()
          .itemSync(),
      ).toBeLessThan(1e-6);
    });
  });

  test("passes gradcheck, to the second order", async () => {
    const { h, xs, w, b } = problem();
    const f = (...[a, c, d, e]: Tensor[]) => {
      const [last, all] = scanned(tanhCell, a, c, d, e);
      return last.sum().add(all.square().sum());
    };
    expect(await gradcheck(f, [h, xs, w, b])).toBe(true);
    const slopes = (...inputs: Tensor[]) => {
      const gradients = grad(f(...inputs), inputs, { createGraph: true });
      return gradients.map((g) => g.square().sum()).reduce((a, c) => a.add(c));
    };
    expect(await gradcheck(slopes, [h, xs, w, b])).toBe(true);
  });

  test("a loop in a loop gives the gradients of all, to the second order", async () => {
    manualSeed(4);
    const make = (...shape: number[]) => randn(shape, { dtype: "float64" }).requiresGrad_();
    const f = (...[h, w, all]: Tensor[]) => {
      const [[last], [sums]] = scan(
        ([outer], [xs]) => {
          const [[end], [states]] = scan(
            ([inner], [x]) => {
              const next = inner.mul(w).add(x).tanh();
              return [[next], [next.square()]];
            },
            [outer],
            [xs],
          );
          return [[end], [states.sum(0)]];
        },
        [h],
        [all],
      );
      return last.sum().add(sums.sin().sum());
    };
    const inputs = [make(2), make(2), make(3, 4, 2)];
    for (const wanted of inputs) {
      const only = (x: Tensor) =>
        f(...inputs.map((input) => (input === wanted ? x : input.detach())));
      expect(await gradcheck(only, [wanted])).toBe(true);
    }
    const slopes = (...given: Tensor[]) =>
      grad(f(...given), given, { createGraph: true })
        .map((g) => g.square().sum())
        .reduce((a, b) => a.add(b));
    expect(await gradcheck(slopes, inputs)).toBe(true);
  });

  test("goes in reverse, and carries several values, integers too", () => {
    const xs = tensor([1, 2, 3]);
    const [[sum, count], [before]] = scan(
      ([s, n], [x]) => [[s.mul(2).add(x), n.add(1)], [s]],
      [tensor(0), tensor(0, { dtype: "int32" })],
      [xs],
      { reverse: true },
    );
    expect(sum.itemSync()).toBe(17);
    expect(count.itemSync()).toBe(3);
    expect(count.dtype).toBe("int32");
    expect(before.arraySync()).toEqual([8, 3, 0]);
  });

  test("repeats without elements, for a length", () => {
    const x = tensor(2).requiresGrad_();
    const [[power]] = scan(([p]) => [[p.mul(x)], []], [tensor(1)], [], { length: 5 });
    power.backward();
    expect(power.itemSync()).toBe(32);
    expect(x.grad?.itemSync()).toBe(80);
  });

  test("gradients of weights are one product, and nothing is compiled again", () => {
    const { h, xs, w, b } = problem("float32");
    const step = () => {
      const [last] = scanned(tanhCell, h, xs, w, b);
      return grad(last.square().sum(), [w, b]);
    };
    const [ofW] = step();
    const [{ kernels }] = explain(ofW).plans;
    expect(kernels.filter(({ kind }) => kind === "matmul")).toHaveLength(1);
    ofW.dataSync();
    const { compiledKernels } = memoryStats();
    step()[0].dataSync();
    expect(memoryStats().compiledKernels).toBe(compiledKernels);
  });

  test("a long loop costs a plan of the same size, and memory for what it gives back", () => {
    const run = (length: number) => {
      const [[last]] = scan(([s]) => [[s.mul(0.5).add(1)], []], [zeros([4])], [], { length });
      return explain(last).plans[0].kernels.length;
    };
    expect(run(1000)).toBe(run(10));
  });

  test("refuses what cannot be repeated", () => {
    const x = zeros([3, 2]);
    expect(() => scan(([c], [e]) => [[c.add(e)], []], [zeros([])], [x])).toThrow(
      "scan: a step must give each carried value the shape and dtype that it has, float32 [], got float32 [2].",
    );
    expect(() => scan(([c]) => [[c], []], [zeros([])])).toThrow("scan: elements or a length");
    expect(() => scan(([c], [e]) => [[c.add(e.sum())], []], [zeros([])], [x, zeros([2])])).toThrow(
      "scan: elements must have the 3 repetitions",
    );
    expect(() => scan(([c]) => [[c.add(rand([]))], []], [zeros([])], [], { length: 2 })).toThrow(
      "scan: a step must not draw random numbers",
    );
    expect(() =>
      scan(([c]) => [[c.add(c.itemSync())], []], [zeros([])], [], { length: 2 }),
    ).toThrow("values must not be read inside of scan()");
  });

  test("an index out of range in a step is an error", () => {
    const table = randn([4, 2]);
    const ids = tensor([1, 3, 4], { dtype: "int32" });
    const [[sum]] = scan(
      ([s], [id]) => [[s.add(table.indexSelect(0, id.reshape([1])).sum())], []],
      [zeros([])],
      [ids],
    );
    expect(() => sum.itemSync()).toThrow(IndexError);
  });
});
