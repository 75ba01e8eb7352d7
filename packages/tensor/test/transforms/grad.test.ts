import { describe, expect, test } from "vitest";
import {
  grad,
  isGradEnabled,
  noGrad,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from "../../src/index.ts";

const f64 = { dtype: "float64" } as const;

describe("grad of a function", () => {
  test("is its slope", () => {
    const slope = grad((x: Tensor) => x.pow(3).sum());
    expect(slope(tensor([1, 2, -3], f64)).arraySync()).toEqual([3, 12, 27]);
  });

  test("nests: higher derivatives of sin", () => {
    let f = (x: Tensor) => x.sin();
    const expected = [Math.sin, Math.cos, (x: number) => -Math.sin(x), (x: number) => -Math.cos(x)];
    for (let order = 0; order <= 5; order++) {
      expect(f(tensor(0.7, f64)).itemSync()).toBeCloseTo(expected[order % 4](0.7), 12);
      f = grad(f);
    }
  });

  test("takes argnums: one, or several as a list", () => {
    const f = (a: Tensor, b: Tensor) => a.square().mul(b).sum();
    const a = tensor([1, 2]);
    const b = tensor([3, 5]);
    expect(grad(f, { argnums: 1 })(a, b).arraySync()).toEqual([1, 4]);
    const [first, second] = grad(f, { argnums: [1, 0] })(a, b);
    expect(first.arraySync()).toEqual([1, 4]);
    expect(second.arraySync()).toEqual([6, 20]);
  });

  test("gives a gradient in the form of its argument", () => {
    type Weights = { layers: { w: Tensor; b: Tensor }[]; scale: number };
    const f = ({ layers, scale }: Weights, x: Tensor) =>
      layers.reduce((y, { w, b }) => y.mul(w).add(b).mul(scale), x).sum();
    const layers = [1, 2].map((i) => ({ w: tensor([i, 3]), b: tensor([i]) }));
    const gradient = grad(f)({ layers, scale: 2 }, tensor([1, 1]));
    expect(gradient.scale).toBe(2);
    // y = 2 · (2 · (x · w₁ + b₁) · w₂ + b₂), with b over both elements.
    expect(gradient.layers[0].w.arraySync()).toEqual([8, 12]);
    expect(gradient.layers[0].b.arraySync()).toEqual([20]);
    expect(gradient.layers[1].w.arraySync()).toEqual([8, 16]);
    expect(gradient.layers[1].b.arraySync()).toEqual([4]);
  });

  test("leaves no gradient and no history behind", () => {
    const x = tensor([1, 2]);
    const [value, gradient] = valueAndGrad((y: Tensor) => y.square().sum())(x);
    expect([x.requiresGrad, value.requiresGrad, gradient.requiresGrad]).toEqual([
      false,
      false,
      false,
    ]);
    expect(value.itemSync()).toBe(5);
    expect(gradient.arraySync()).toEqual([2, 4]);
    expect(isGradEnabled()).toBe(true);
  });

  test("can be differentiated with respect to what the function uses: a gradient penalty", () => {
    const w = tensor([2, 3], { requiresGrad: true });
    const x = tensor([5, 7], { requiresGrad: true });
    const gradient = grad((y: Tensor) => y.square().mul(w).sum())(x); // 2 x w
    expect(gradient.requiresGrad).toBe(true);
    gradient.square().sum().backward(); // Σ 4 x² w²
    expect(w.grad!.arraySync()).toEqual([400, 1176]);
    expect(x.grad!.arraySync()).toEqual([160, 504]);
  });

  test("of one and the same tensor as two arguments keeps them apart", () => {
    const x = tensor(3);
    const f = (a: Tensor, b: Tensor) => a.square().mul(b);
    expect(grad(f)(x, x).itemSync()).toBe(18);
  });

  test("works within noGrad, and respects noGrad within", () => {
    const w = tensor(2, { requiresGrad: true });
    const slope = noGrad(() => grad((x: Tensor) => x.square().mul(w))(tensor(3)));
    expect([slope.itemSync(), slope.requiresGrad]).toEqual([12, false]);
    const half = grad((x: Tensor) => x.mul(noGrad(() => x.mul(1))));
    expect(half(tensor(3)).itemSync()).toBe(3);
  });

  test("is zero where the function does not depend on its argument", () => {
    expect(grad((_: Tensor) => tensor(1))(tensor([1, 2])).arraySync()).toEqual([0, 0]);
  });

  test("says what does not fit", () => {
    const x = tensor([1, 2]);
    expect(() => grad((y: Tensor) => y)(x)).toThrow(
      "grad: fn must return a scalar, got [2]. Use vjp() or jacobian().",
    );
    expect(() => grad((y: Tensor) => y.sum(), { argnums: 1 })(x)).toThrow(
      "grad: argnums must name arguments with tensors, got 1 of 1 arguments.",
    );
    expect(() => grad((y: Tensor) => y.sum())(zeros([2], { dtype: "int32" }))).toThrow(
      "grad: the tensor must be floating, got int32.",
    );
    const wrong = ((_: Tensor) => 3) as unknown as (_: Tensor) => Tensor;
    expect(() => grad(wrong)(x)).toThrow("grad: fn must return tensors, got number.");
  });
});
