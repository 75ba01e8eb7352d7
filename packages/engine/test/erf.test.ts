import { describe, expect, test } from "vitest";
import { erf } from "../src/erf.ts";

const bits = 200n;
const one = 1n << bits;

/** `x` with 200 binary digits behind the point, exactly: doubles are multiples of powers of 2. */
function fixed(x: number): bigint {
  let exponent = 0;
  while (!Number.isInteger(x)) {
    x *= 2;
    exponent++;
  }
  return (BigInt(x) << bits) >> BigInt(exponent);
}

/** 2/√π with 200 binary digits: √π from Machin's formula for π. */
const scale = (() => {
  const arctanOfInverse = (n: bigint): bigint => {
    let power = one / n;
    let sum = 0n;
    for (let k = 1n; power !== 0n; k += 2n, power /= -(n * n)) sum += power / k;
    return sum;
  };
  const pi = 4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n));
  let root = one << 1n;
  for (let step = 0; step < 20; step++) root = (root + (pi << bits) / root) / 2n;
  return (2n * one * one) / root;
})();

/** The Maclaurin series in fixed-point arithmetic. */
function reference(x: number): number {
  const z = fixed(x);
  const square = (z * z) >> bits;
  let power = z;
  let sum = 0n;
  for (let n = 0n; power !== 0n && power !== -1n; n++) {
    sum += power / (2n * n + 1n);
    power = (-power * square) / ((n + 1n) << bits);
  }
  return Number((sum * scale) >> bits) / Number(one);
}

describe("erf", () => {
  test("equals tabulated values", () => {
    expect(reference(1)).toBe(0.8427007929497149);
    expect(erf(0.5)).toBeCloseTo(0.5204998778130465, 15);
    expect(erf(1)).toBeCloseTo(0.8427007929497149, 15);
    expect(erf(-2)).toBeCloseTo(-0.9953222650189527, 15);
  });

  test("has a relative error below 1e-15 everywhere", () => {
    let worst = 0;
    let where = 0;
    const points = [1e-10, 1e-5, 0.46875, 0.468750001, 4, 5.9, 5.93, 6, 6.1, 7];
    for (let x = 0.0007; x < 6.2; x += 0.0123) points.push(x);
    for (const x of points) {
      for (const signed of [x, -x]) {
        const expected = reference(signed);
        const error = Math.abs(erf(signed) / expected - 1);
        if (error > worst) [worst, where] = [error, signed];
      }
    }
    expect(worst, `at ${where}`).toBeLessThan(1e-15);
  });

  test("keeps zeros, goes to ±1, passes NaN on", () => {
    expect(erf(0)).toBe(0);
    expect(erf(-0)).toBe(-0);
    expect(erf(Infinity)).toBe(1);
    expect(erf(-Infinity)).toBe(-1);
    expect(erf(NaN)).toBeNaN();
    expect(erf(1e-300)).toBeCloseTo(1.1283791670955126e-300, 312);
  });
});
