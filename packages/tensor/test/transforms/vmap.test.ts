import { describe, expect, test } from "vitest";
import {
  bernoulli,
  compile,
  grad,
  jacobian,
  jvp,
  manualSeed,
  matmul,
  noGrad,
  rand,
  randn,
  randperm,
  scan,
  stack,
  Tensor,
  tensor,
  vjp,
  vmap,
  zeros,
} from "../../src/index.ts";

const f64 = { dtype: "float64" } as const;
const xs = tensor(
  [
    [0.3, -0.2, 0.7],
    [0.5, 0.1, -0.4],
  ],
  f64,
);
const ys = tensor(
  [
    [1.3, 0.2, -0.7],
    [-0.5, 0.6, 0.4],
  ],
  f64,
);
const rows = (x: Tensor) => x.unbind(0);

describe("vmap", () => {
  test("maps the first axes of all arguments", () => {
    const distance = vmap((a: Tensor, b: Tensor) => a.sub(b).norm());
    const expected = stack(rows(xs).map((x, i) => x.sub(rows(ys)[i]).norm()));
    expect(distance(xs, ys).allclose(expected, { rtol: 1e-14 })).toBe(true);
  });

  test("maps other axes, puts results on others, and passes on what is not mapped", () => {
    const f = (a: Tensor, b: Tensor, scale: number) => a.outer(b).mul(scale);
    const result = vmap(f, { inDims: [-1, null, null], outDims: 1 })(xs, tensor([1, 10], f64), 2);
    expect(result.shape).toEqual([2, 3, 2]);
    const expected = stack(
      xs.unbind(1).map((x) => f(x, tensor([1, 10], f64), 2)),
      1,
    );
    expect(result.arraySync()).toEqual(expected.arraySync());
  });

  test("maps lists and objects of tensors, and gives what the function gives", () => {
    const f = ({ a, b }: { a: Tensor; b: Tensor[] }) => ({ sum: a.add(b[0]), pair: [a, b[1]] });
    const { sum, pair } = vmap(f, { outDims: [0, 1, 1] })({ a: xs, b: [ys, xs] });
    expect(sum.arraySync()).toEqual(xs.add(ys).arraySync());
    expect(pair.map((t) => t.arraySync())).toEqual([xs.t().arraySync(), xs.t().arraySync()]);
  });

  test("repeats what is the same for all examples", () => {
    const constant = vmap((_: Tensor) => tensor([1, 2]))(zeros([3]));
    expect(constant.arraySync()).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  test("of no examples is empty", () => {
    const result = vmap((x: Tensor) => matmul(x, x.t()).sum(0))(zeros([0, 2, 3]));
    expect(result.shape).toEqual([0, 2]);
    expect(result.arraySync()).toEqual([]);
  });

  test("nests, over axes in any order", () => {
    const all = vmap(
      vmap((a: Tensor, b: Tensor) => a.mul(b).sum(), { inDims: [null, 0] }),
      { inDims: [0, null] },
    );
    expect(all(xs, ys).allclose(matmul(xs, ys.t()), { rtol: 1e-14 })).toBe(true);
    const transposed = vmap(
      vmap((a: Tensor) => a.mul(2)),
      { inDims: 1, outDims: 1 },
    )(xs);
    expect(transposed.arraySync()).toEqual(xs.mul(2).arraySync());
  });

  test("multiplies with a shared matrix from either side", () => {
    const w = tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      f64,
    );
    const left = vmap((x: Tensor) => matmul(w, x))(xs);
    expect(left.allclose(matmul(xs, w.t()))).toBe(true);
    const right = vmap((x: Tensor) => matmul(x, w.t()))(xs);
    expect(right.allclose(matmul(xs, w.t()))).toBe(true);
  });
});

describe("vmap and gradients", () => {
  const loss = (w: Tensor, x: Tensor) => matmul(w, x).tanh().square().sum();
  const w = () =>
    tensor(
      [
        [1, -2, 0.5],
        [0.3, 0.2, 0.1],
      ],
      { ...f64, requiresGrad: true },
    );

  test("vmap of grad gives the gradient of each example", () => {
    const perExample = vmap(grad(loss), { inDims: [null, 0] })(w().detach(), xs);
    const expected = stack(rows(xs).map((x) => grad(loss)(w().detach(), x)));
    expect(perExample.shape).toEqual([2, 2, 3]);
    expect(perExample.requiresGrad).toBe(false);
    expect(perExample.allclose(expected, { rtol: 1e-12 })).toBe(true);
  });

  test("grad of vmap, with respect to what is mapped and what is not", () => {
    const total = (v: Tensor, x: Tensor) => vmap(loss, { inDims: [null, 0] })(v, x).sum();
    const looped = (v: Tensor, x: Tensor) => stack(rows(x).map((row) => loss(v, row))).sum();
    const found = grad(total, { argnums: [0, 1] })(w(), xs);
    const expected = grad(looped, { argnums: [0, 1] })(w(), xs);
    expect(found.every((g, i) => g.allclose(expected[i], { rtol: 1e-12 }))).toBe(true);
  });

  test("a result goes back to tensors that the function uses, and again", () => {
    const backward = (map: (f: (x: Tensor) => Tensor, x: Tensor) => Tensor) => {
      const v = w();
      const scaled = v.mul(2);
      const x = xs.detach().requiresGrad_();
      // Through `scaled`, which depends on `v`, and through `v` itself.
      const y = map((row) => loss(scaled, row).mul(v.sum()), x);
      const [gv, gx] = grad(y.sum(), [v, x], { createGraph: true });
      gv.square().sum().add(gx.square().sum()).backward();
      return [y, gv, gx, v.grad!, x.grad!];
    };
    const found = backward((f, x) => vmap(f)(x));
    const expected = backward((f, x) => stack(rows(x).map(f)));
    expect(found.map((t, i) => t.allclose(expected[i], { rtol: 1e-11 }))).toEqual(
      expected.map(() => true),
    );
  });

  test("vmap of jvp, vjp and jacobian", () => {
    const f = (x: Tensor) => x.sin().mul(x.sum());
    const tangents = vmap((x: Tensor, v: Tensor) => jvp(f, [x], [v])[1])(xs, ys);
    const cotangents = vmap((x: Tensor, v: Tensor) => vjp(f, x)[1](v))(xs, ys);
    const jacobians = vmap(jacobian(f))(xs);
    rows(xs).forEach((x, i) => {
      const j = jacobian(f)(x);
      expect(jacobians.select(0, i).allclose(j, { rtol: 1e-12 })).toBe(true);
      expect(tangents.select(0, i).allclose(matmul(j, rows(ys)[i]), { rtol: 1e-12 })).toBe(true);
      expect(cotangents.select(0, i).allclose(matmul(rows(ys)[i], j), { rtol: 1e-12 })).toBe(true);
    });
  });

  test("a whole loop of descent within vmap", () => {
    const minimum = (x: Tensor) => {
      let z = x;
      for (let i = 0; i < 5; i++) z = z.sub(grad((v: Tensor) => v.square().sum())(z).mul(0.25));
      return z;
    };
    expect(vmap(minimum)(xs).allclose(xs.div(32), { rtol: 1e-12 })).toBe(true);
  });

  test("respects noGrad on both sides", () => {
    const v = w();
    expect(noGrad(() => vmap((x: Tensor) => matmul(v, x))(xs)).requiresGrad).toBe(false);
    const x = xs.detach().requiresGrad_();
    expect(vmap((y: Tensor) => noGrad(() => y.exp()))(x).requiresGrad).toBe(false);
  });
});

describe("vmap of a loop", () => {
  const cell = tensor(
    [
      [0.2, -0.5, 0.1],
      [0.4, 0.3, -0.2],
      [0.1, 0.6, 0.5],
    ],
    f64,
  );
  const outputs = (start: Tensor) => {
    const step = ([h]: readonly Tensor[], [x]: readonly Tensor[]): [Tensor[], Tensor[]] => {
      const next = matmul(h, cell).add(x).tanh();
      return [[next], [next.square()]];
    };
    const [[last], [all]] = scan(step, [start], [ys]);
    return last.sum().add(all.sum());
  };

  test("runs it once for each example, with gradients", () => {
    const expected = rows(xs).map((x) => outputs(x));
    expect(vmap(outputs)(xs).allclose(stack(expected), { rtol: 1e-12 })).toBe(true);
    const gradients = stack(rows(xs).map((x) => grad(outputs)(x)));
    expect(vmap(grad(outputs))(xs).allclose(gradients, { rtol: 1e-12 })).toBe(true);
    const total = grad((x: Tensor) => vmap(outputs)(x).sum())(xs);
    expect(total.allclose(gradients, { rtol: 1e-12 })).toBe(true);
  });
});

describe("vmap and random numbers", () => {
  const three = zeros([3]);

  test("different ones are those of a tensor of all examples", () => {
    for (const draw of [rand, randn]) {
      manualSeed(5);
      const mapped = vmap((x: Tensor) => x.add(draw([4])), { randomness: "different" })(three);
      manualSeed(5);
      expect(mapped.arraySync()).toEqual(draw([3, 4]).arraySync());
    }
  });

  test("nested, those of all axes", () => {
    manualSeed(5);
    const options = { randomness: "different" } as const;
    const mapped = vmap(
      vmap((x: Tensor) => x.add(randn([2])), options),
      options,
    )(zeros([3, 4]));
    manualSeed(5);
    expect(mapped.arraySync()).toEqual(randn([3, 4, 2]).arraySync());
  });

  test("the same ones are drawn once", () => {
    manualSeed(5);
    const mapped = vmap((x: Tensor) => x.add(randn([4])), { randomness: "same" })(three);
    manualSeed(5);
    const once = randn([4]).arraySync();
    expect(mapped.arraySync()).toEqual([once, once, once]);
  });

  test("a mask of dropout is the same in the gradient", () => {
    const x = tensor(
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
      { requiresGrad: true },
    );
    const y = vmap((z: Tensor) => z.dropout(0.5), { randomness: "different" })(x);
    y.sum().backward();
    const factor = y.div(x).detach();
    expect(x.grad!.allclose(factor)).toBe(true);
  });

  test("what was drawn outside is the same for all", () => {
    manualSeed(1);
    const noise = rand([2]);
    const mapped = vmap((x: Tensor) => x.add(noise))(three);
    expect(mapped.arraySync()).toEqual([0, 1, 2].map(() => noise.arraySync()));
  });

  test("probabilities may differ between examples", () => {
    const p = tensor([0, 1]);
    expect(vmap((q: Tensor) => bernoulli(q), { randomness: "different" })(p).arraySync()).toEqual([
      0, 1,
    ]);
  });

  test("whoever says nothing gets an error", () => {
    expect(() => vmap((x: Tensor) => x.add(rand([2])))(three)).toThrow(
      'vmap: randomness must be "same" or "different" where fn draws random numbers, got "error".',
    );
    expect(() => vmap((x: Tensor) => x.add(randperm(2)))(three)).toThrow(
      "randperm: the order must not be drawn inside of vmap(). Pass it in as an input.",
    );
  });
});

describe("vmap and the world outside", () => {
  test("works in compiled functions, and compiled functions in it", () => {
    const square = compile((x: Tensor) => x.square());
    expect(vmap((x: Tensor) => square(x))(xs).allclose(xs.square())).toBe(true);
    const mapped = compile((x: Tensor) => vmap((y: Tensor) => y.sum())(x));
    for (const x of [xs, ys]) expect(mapped(x).allclose(x.sum(1))).toBe(true);
  });

  test("refuses what would need a value, or happen once an example", () => {
    const state = new Tensor(tensor([1, 2, 3], f64));
    const on = (f: (x: Tensor) => unknown) => () => vmap((x: Tensor) => [f(x), x])(xs);
    expect(on((x) => x.dataSync())).toThrow("dataSync: values must not be read inside of vmap().");
    expect(on((x) => state.assign(x))).toThrow("assign: a state must not change inside of vmap().");
    expect(on((x) => new Tensor(x))).toThrow(
      "new Tensor: a state must not be made inside of vmap().",
    );
    expect(on((x) => x.requiresGrad_().sum().backward())).toThrow(
      "backward: gradients must not be kept inside of vmap().",
    );
    expect(on(async () => 1)).not.toThrow();
    expect(() => vmap((async (x: Tensor) => x) as unknown as (x: Tensor) => Tensor)(xs)).toThrow(
      "vmap: fn must be synchronous",
    );
  });

  test("an example that got out has no value, and says so", () => {
    let leaked: Tensor | undefined;
    vmap((x: Tensor) => {
      leaked = x.add(1);
      return x;
    })(xs);
    expect(() => leaked!.dataSync()).toThrow("depends on one example inside of vmap()");
    // Nothing is broken by that.
    expect(xs.add(1).sum().dataSync().length).toBe(1);
  });

  test("says what does not fit", () => {
    const sum = vmap((a: Tensor, b: Tensor) => a.add(b));
    expect(() => sum(zeros([2]), zeros([3]))).toThrow(
      "vmap: the mapped axes must have one size, got [2] and [3].",
    );
    expect(() => vmap((a: Tensor) => a, { inDims: null })(xs)).toThrow(
      "vmap: an argument must be mapped, got none. Pass the axis of one in inDims.",
    );
    expect(() => vmap((a: Tensor) => a, { inDims: [0, 0] })(xs)).toThrow(
      "vmap: inDims must have an entry for each argument, got 2 for 1.",
    );
    expect(() => vmap((a: Tensor) => a)(tensor(1))).toThrow(
      "vmap: a mapped argument must have an axis, got a scalar. Pass null for it in inDims.",
    );
    expect(() => vmap((a: Tensor) => a, { inDims: 2 })(xs)).toThrow(
      "vmap: the axis must be in [-2, 1], got 2.",
    );
  });
});
