import { describe, expect, test } from "vitest";
import { hessian, jacobian, matmul, stack, type Tensor, tensor } from "../../src/index.ts";

const f64 = { dtype: "float64" } as const;

/** By central differences: `[...output, ...input]`. */
function slopes(f: (x: Tensor) => Tensor, x: Tensor): Tensor {
  const h = 1e-6;
  const flat = x.dataSync();
  const columns = Array.from(flat, (_, j) => {
    const at = (step: number) =>
      f(
        tensor(
          flat.map((v, i) => (i === j ? v + step : v)),
          f64,
        ).reshape(x.shape),
      );
    return at(h)
      .sub(at(-h))
      .div(2 * h);
  });
  const matrix = stack(columns, -1);
  return matrix.reshape([...matrix.shape.slice(0, -1), ...x.shape]);
}

const x = tensor(
  [
    [0.3, -0.2, 0.7],
    [0.5, 0.1, -0.4],
  ],
  f64,
);
const f = (m: Tensor) => matmul(m, m.t()).softmax(-1).add(m.exp().sum());

describe("jacobian", () => {
  test("of a matrix function of a matrix", () => {
    const found = jacobian(f)(x);
    expect(found.shape).toEqual([2, 2, 2, 3]);
    expect(found.allclose(slopes(f, x), { atol: 1e-8, rtol: 1e-6 })).toBe(true);
  });

  test("has a block for each output and each argument", () => {
    const a = tensor([2, 3]);
    const b = tensor([5, 7]);
    const blocks = jacobian((p: Tensor, q: Tensor) => ({ product: p.mul(q), sum: q.sum() }), {
      argnums: [0, 1],
    })(a, b);
    expect(blocks.product.map((block) => block.arraySync())).toEqual([
      [
        [5, 0],
        [0, 7],
      ],
      [
        [2, 0],
        [0, 3],
      ],
    ]);
    expect(blocks.sum.map((block) => block.arraySync())).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test("of no elements is empty", () => {
    expect(jacobian((v: Tensor) => v.slice(0, 0, 0))(tensor([1, 2])).shape).toEqual([0, 2]);
  });

  test("can be differentiated with respect to what the function uses", () => {
    const w = tensor([2, 3], { requiresGrad: true });
    const j = jacobian((v: Tensor) => v.mul(w))(tensor([1, 1]));
    j.square().sum().backward();
    expect(w.grad!.arraySync()).toEqual([4, 6]);
    expect(jacobian((v: Tensor) => v.exp())(tensor([1, 1])).requiresGrad).toBe(false);
  });
});

describe("hessian", () => {
  test("of a scalar function of a matrix is symmetric, and the Jacobian of the gradient", () => {
    const loss = (m: Tensor) => f(m).square().sum();
    const found = hessian(loss)(x);
    expect(found.shape).toEqual([2, 3, 2, 3]);
    expect(
      found.allclose(
        slopes((m) => jacobian(loss)(m), x),
        { atol: 1e-6, rtol: 1e-5 },
      ),
    ).toBe(true);
    expect(found.allclose(found.permute([2, 3, 0, 1]), { atol: 1e-10 })).toBe(true);
  });

  test("of two arguments has a block for each pair", () => {
    const blocks = hessian((p: Tensor, q: Tensor) => p.square().mul(q).sum(), { argnums: [0, 1] })(
      tensor([2]),
      tensor([5]),
    );
    expect(blocks.map((row) => row.map((block) => block.itemSync()))).toEqual([
      [10, 4],
      [4, 0],
    ]);
  });
});
