import { afterEach, describe, expect, it } from "vitest";
import {
  arange,
  cat,
  conv2d,
  embedding,
  manualSeed,
  memoryStats,
  noGrad,
  randn,
  realize,
  setBackend,
  type Tensor,
} from "../src/index.ts";

afterEach(() => setBackend("wasm"));

function given(...shape: number[]): Tensor {
  const x = randn(shape);
  realize(x);
  return x;
}

/** How many kernels these sizes compile, the first few apart: of some loops, code knows how many points fill no vector. */
function compiledBy(step: (size: number) => void, sizes: readonly number[], first: number): number {
  let before = 0;
  for (const [i, size] of sizes.entries()) {
    if (i === first) before = memoryStats().compiledKernels;
    step(size);
  }
  return memoryStats().compiledKernels - before;
}

/** Neighbours, each of another class, then larger and smaller ones. */
const sizes = [
  ...Array.from({ length: 16 }, (_, i) => 65 + i),
  ...Array.from({ length: 40 }, (_, i) => 97 + ((67 * i) % 149)),
];

describe("sizes that were not there before", () => {
  it("compile next to nothing in a training step: gradients of biases and means go over the batch", () => {
    const [x, u, b, w, c] = [given(256, 30), given(30, 300), given(300), given(300, 10), given(10)];
    const weights = [u, b, w, c].map((weight) => weight.requiresGrad_());
    const step = (count: number): void => {
      const hidden = x.narrow(0, 0, count).matmul(u).add(b).relu();
      const logp = hidden.matmul(w).add(c).logSoftmax(1);
      logp.select(1, 3).mean().neg().backward();
      noGrad(() => {
        for (const weight of weights) weight.assign(weight.sub(weight.grad!.mul(0.01)));
      });
      realize(...weights);
      for (const weight of weights) weight.grad = null;
    };
    expect(compiledBy(step, sizes, 16)).toBeLessThan(20);
  });

  it("compile next to nothing in attention over a growing number of positions", () => {
    const [q, k, v] = [given(4, 256, 24), given(4, 256, 24), given(4, 256, 24)];
    const step = (length: number): void => {
      const [a, b, c] = [q, k, v].map((x) => x.narrow(1, 0, length));
      const isPast = arange(length).unsqueeze(0).le(arange(length).unsqueeze(1));
      const scores = a.matmul(b.transpose(1, 2)).mul(0.2);
      realize(isPast.where(scores, -1e9).softmax(-1).matmul(c));
    };
    expect(compiledBy(step, sizes, 16)).toBeLessThan(20);
  });

  it("compile next to nothing in products whose rows and terms are several loops, as those of heads and of sequences", () => {
    const weight = given(24, 16);
    const step = (length: number): void => {
      const [x, y] = [given(5, length, 24), given(5, length, 40)].map((part) =>
        part.permute([1, 0, 2]).reshape([5 * length, -1]),
      );
      realize(x.matmul(weight), x.t().matmul(y));
    };
    expect(compiledBy(step, sizes, 16)).toBeLessThan(8);
  });

  it("give the same as kernels of their own", () => {
    const cases: Record<string, (n: number, part: (...shape: number[]) => Tensor) => Tensor> = {
      sum: (n, part) => part(5, n).sum(1),
      "sum over rows": (n, part) => part(n, 37).sum(0).mul(2),
      "sum over two axes": (n, part) => part(n, 6, 40).sum([0, 2]),
      "long sum": (n, part) => part(2, n, 300).sum([1, 2]),
      mean: (n, part) => part(n, 21).mean(),
      variance: (n, part) => part(20, n).var(1),
      argmax: (n, part) => part(20, n).argmax(1),
      softmax: (n, part) => part(20, n).softmax(1),
      "softmax of rows": (n, part) => part(n, 20).softmax(0),
      cumsum: (n, part) => part(3, n, 20).cumsum(1),
      "rows of several loops": (n, part) =>
        part(3, n, 20)
          .transpose(0, 1)
          .mul(part(n, 1, 20)),
      transpose: (n, part) => part(n, 40).t().add(1),
      "parts far apart": (n, part) => cat([part(n, 40), part(n, 40).neg(), part(n, 40)], 0).mul(2),
      "last row": (n, part) => part(n, 50).select(0, -1).mul(part(50)),
      product: (n, part) => part(n, 40).matmul(part(40, 50)).add(part(50)).relu(),
      "product of batches": (n, part) =>
        part(n, 20, 30)
          .matmul(part(30, 12))
          .mul(part(n, 1, 12)),
      "product over the size": (n, part) => part(33, n).matmul(part(n, 40)).tanh(),
      "product of turned matrices": (n, part) =>
        part(n, 4, 20)
          .transpose(0, 1)
          .matmul(part(n, 4, 20).permute([1, 2, 0])),
      "product of rows of several loops": (n, part) =>
        part(4, n, 24)
          .permute([1, 0, 2])
          .reshape([4 * n, 24])
          .matmul(part(24, 16)),
      "product over several loops": (n, part) =>
        part(5, n, 40)
          .permute([2, 1, 0])
          .reshape([40, 5 * n])
          .matmul(
            part(5, n, 20)
              .permute([1, 0, 2])
              .reshape([5 * n, 20]),
          ),
      sort: (n, part) => part(4, n).sort(1).values,
      embedding: (n, part) => {
        const table = part(70, 20).requiresGrad_();
        embedding(arange(n).mul(7).remainder(70).to("int32"), table).square().sum().backward();
        return table.grad!;
      },
      windows: (n, part) => conv2d(part(n, 8, 4, 4), part(8, 8, 3, 3), { padding: 1 }),
      "windows along the size": (n, part) => conv2d(part(1, 2, n, 20), part(3, 2, 3, 3)),
    };
    const all = (name: string, n: number) => {
      manualSeed(n);
      return Array.from(cases[name](n, given).dataSync(), Number);
    };
    const wasm: Record<string, number[][]> = {};
    const series = [17, 33, 129, 40, 88];
    for (const name of Object.keys(cases)) wasm[name] = series.map((n) => all(name, n));
    setBackend("js");
    for (const name of Object.keys(cases)) {
      series.forEach((n, i) => {
        const expected = all(name, n);
        const size = Math.max(...expected.map(Math.abs));
        const errors = expected.map((x, at) => Math.abs(x - wasm[name][i][at]) / size);
        expect(errors, `${name} ${n}`).toHaveLength(wasm[name][i].length);
        expect(Math.max(...errors), `${name} ${n}`).toBeLessThan(1e-5);
      });
    }
  });
});
