import { type ElementOp, erf, type LoopKernel } from "@gradloom/engine";
import { expect, test } from "vitest";
import { detectFeatures } from "../src/features.ts";
import { prepareKernel } from "./harness.ts";

/** Applies an operation to a list of float32 numbers. */
function apply(op: ElementOp, x: Float32Array, relaxedSimd: boolean): Float32Array {
  const access = (buffer: number) => ({ buffer, offset: 0, strides: [1] });
  const kernel: LoopKernel = {
    kind: "loop",
    outer: [x.length],
    stages: [
      {
        inner: [],
        code: [
          { op: "load", dtype: "float32", access: access(0), guards: [] },
          { op, dtype: "float32", args: [0] },
        ],
        stores: [{ value: 1, access: access(1) }],
        results: [],
      },
    ],
    scratch: [],
    buffers: [0, 1],
    scalars: [],
    label: [op],
  };
  const running = prepareKernel(kernel, [x, new Float32Array(x.length)], [], relaxedSimd);
  running.run();
  return running.read(1);
}

/** Every exponent and sign, with mantissas spread evenly; and the special values. */
function samples(perExponent: number): Float32Array {
  const bits: number[] = [0, 0x7f800000, 0x7fc00000, 0x7fffffff];
  for (let exponent = 0; exponent < 255; exponent++) {
    for (let i = 0; i < perExponent; i++) {
      const mantissa = Math.floor(((i + ((exponent * 0.618) % 1)) / perExponent) * 2 ** 23);
      bits.push((exponent << 23) | mantissa);
    }
  }
  const all = bits.flatMap((b) => [b, b | 0x80000000]);
  return new Float32Array(Int32Array.from(all).buffer);
}

/** Distance to the exact value in units in the last place of a float32 of that size. */
function ulps(got: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(got, rounded) || (Number.isNaN(got) && Number.isNaN(rounded))) return 0;
  if (got === 0 && rounded === 0) return Infinity; // the wrong sign
  if (!Number.isFinite(rounded) || !Number.isFinite(got)) {
    // Overflow may come one rounding too early or too late.
    const [finite, other] = Number.isFinite(got) ? [got, exact] : [exact, got];
    return Math.sign(finite) === Math.sign(other) && Math.abs(finite) > 3.4028e38 ? 1 : Infinity;
  }
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(rounded))), -126);
  return Math.abs(got - exact) / 2 ** (exponent - 23);
}

const cases: [ElementOp, (x: number) => number][] = [
  ["exp", Math.exp],
  ["expm1", Math.expm1],
  ["log", Math.log],
  ["log1p", Math.log1p],
  ["log2", Math.log2],
  ["tanh", Math.tanh],
  ["erf", erf],
  ["sin", Math.sin],
  ["cos", Math.cos],
];

const relaxed = detectFeatures().relaxedSimd;

test.each(cases)("%s is within 4 ulp of the exact value everywhere", (op, exact) => {
  const dense = new Float32Array(40000);
  for (let i = 0; i < dense.length; i++) dense[i] = (i / dense.length - 0.5) * 210;
  for (const x of [samples(1000), dense]) {
    for (const fused of relaxed ? [false, true] : [false]) {
      const y = apply(op, x, fused);
      let worst = 0;
      let at = 0;
      for (let i = 0; i < x.length; i++) {
        const distance = ulps(y[i], exact(x[i]));
        if (!(distance <= worst)) [worst, at] = [distance, i];
      }
      if (process.env.ULPS) console.log(op, fused, worst.toFixed(2), "at", x[at], "got", y[at]);
      expect(worst, `at ${x[at]}: got ${y[at]}, exact ${exact(x[at])}`).toBeLessThanOrEqual(4);
    }
  }
});

test("erf comes to 1, and never exceeds it", () => {
  const x = Float32Array.from({ length: 4000 }, (_, i) => 3 + i / 1000);
  for (const fused of relaxed ? [false, true] : [false]) {
    const y = apply("erf", x, fused);
    expect(Math.max(...y)).toBe(1);
    expect(y[y.length - 1]).toBe(1);
  }
});
