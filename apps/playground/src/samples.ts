// The task of the DNN run: noisy samples of y = 3x² + 5.
import { rand, randn, realize } from "@gradloom/tensor";

/** The samples lie on [-range, range]. */
export const range = 3;

/** Pairs of numbers, `y[i]` measured at `x[i]`. */
export interface Samples {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** The curve to learn, `y = 3x² + 5`. */
export function trueCurve(x: number): number {
  return 3 * x * x + 5;
}

/**
 * Draws `count` samples from the library's random numbers: `x` uniform on [-3, 3], `y = 3x² + 5 + ε`
 * with `ε` normal, of mean 0 and standard deviation `noise`.
 */
export function drawSamples(count: number, noise: number): Samples {
  const x = rand([count, 1])
    .mul(2 * range)
    .sub(range);
  const y = x
    .square()
    .mul(3)
    .add(5)
    .add(randn([count, 1]).mul(noise));
  realize(x, y);
  return { x: Float32Array.from(x.dataSync()), y: Float32Array.from(y.dataSync()) };
}

/** Evenly spaced points from -3 to 3, where a fitted curve is drawn. */
export const curvePoints: Float32Array = Float32Array.from(
  { length: 241 },
  (_, i) => -range + (2 * range * i) / 240,
);

/** The root of the mean of `(a - b)²`. */
export function rootMeanSquare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum / a.length);
}
