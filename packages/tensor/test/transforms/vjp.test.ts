import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jvp, matmul, onesLike, type Tensor, tensor, vjp } from "../../src/index.ts";

const f64 = { dtype: "float64" } as const;

describe("vjp", () => {
  test("gives the value and takes gradients back, as often as one likes", () => {
    const [y, pullback] = vjp((x: Tensor) => x.square(), tensor([1, 2, 3]));
    expect(y.arraySync()).toEqual([1, 4, 9]);
    expect(y.requiresGrad).toBe(false);
    expect(pullback(onesLike(y)).arraySync()).toEqual([2, 4, 6]);
    expect(pullback(tensor([0, 1, 10])).arraySync()).toEqual([0, 4, 60]);
  });

  test("gives a list for several arguments, and takes the form of the output", () => {
    const a = tensor([[1, 2]]);
    const b = tensor([[3], [4]]);
    const [y, pullback] = vjp((x: Tensor, w: Tensor) => ({ product: matmul(x, w), x }), a, b);
    expect(y.product.arraySync()).toEqual([[11]]);
    const [first, second] = pullback({ product: tensor([[2]]), x: tensor([[100, 0]]) });
    expect(first.arraySync()).toEqual([[106, 8]]);
    expect(second.arraySync()).toEqual([[2], [4]]);
  });

  test("says what does not fit", () => {
    const [, pullback] = vjp((x: Tensor) => x.square(), tensor([1, 2, 3]));
    expect(() => pullback(tensor([1]))).toThrow(
      "vjp: the gradient must have the shape of the output, got [1] for [3].",
    );
    expect(() => pullback([] as unknown as Tensor)).toThrow(
      "vjp: there must be a tensor for each of 1, got 0.",
    );
  });
});

const f = (x: Tensor, y: Tensor) => [x.sin().mul(y).add(y.sum()), matmul(x, y).exp()] as const;

describe("jvp", () => {
  test("of several arguments and outputs is the slope along the tangents", () => {
    const point = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), {
      minLength: 12,
      maxLength: 12,
    });
    const property = fc.property(point, (numbers) => {
      const [x, y, dx, dy] = [0, 3, 6, 9].map((i) => tensor(numbers.slice(i, i + 3), f64));
      const [value, tangent] = jvp(f, [x, y], [dx, dy]);
      const h = 1e-5;
      const above = f(x.add(dx.mul(h)), y.add(dy.mul(h)));
      const below = f(x.sub(dx.mul(h)), y.sub(dy.mul(h)));
      const here = f(x, y);
      for (const i of [0, 1]) {
        expect(value[i].allclose(here[i], { rtol: 1e-14 })).toBe(true);
        const slope = above[i].sub(below[i]).div(2 * h);
        expect(tangent[i].allclose(slope, { rtol: 1e-7, atol: 1e-8 })).toBe(true);
      }
    });
    fc.assert(property, { numRuns: 20, seed: 1 });
  });

  test("nests: second derivatives along directions", () => {
    const first = (x: Tensor) => jvp((z: Tensor) => z.exp().mul(z), [x], [onesLike(x)])[1];
    const [slope, curvature] = jvp(first, [tensor([0.5], f64)], [tensor([1], f64)]);
    expect(slope.itemSync()).toBeCloseTo(1.5 * Math.exp(0.5), 12);
    expect(curvature.itemSync()).toBeCloseTo(2.5 * Math.exp(0.5), 12);
  });

  test("of what is not differentiable is zero", () => {
    const x = tensor([1, 2]);
    const [[y, z], [dy, dz]] = jvp((a: Tensor) => [a.argmax(0), a.floor()], [x], [x]);
    expect([y.itemSync(), z.arraySync()]).toEqual([1, [1, 2]]);
    expect([dy.dtype, dy.itemSync(), dz.arraySync()]).toEqual(["int32", 0, [0, 0]]);
  });

  test("requires no gradient afterwards, unless the function depends on something that does", () => {
    const x = tensor([1, 2]);
    const w = tensor([3, 4], { requiresGrad: true });
    expect(jvp((a: Tensor) => a.square(), [x], [x]).map((t) => t.requiresGrad)).toEqual([
      false,
      false,
    ]);
    const [, tangent] = jvp((a: Tensor) => a.square().mul(w.square()), [x], [onesLike(x)]);
    tangent.sum().backward(); // Σ 2 x w²
    expect(w.grad!.arraySync()).toEqual([12, 32]);
  });

  test("says what does not fit", () => {
    const x = tensor([1, 2]);
    expect(() => jvp((a: Tensor) => a.exp(), [x], [tensor([1])])).toThrow(
      "jvp: the gradient must have the shape of the output, got [1] for [2].",
    );
  });
});
