import { fromTypedArray, randn, type Tensor } from "@gradloom/tensor";

/**
 * A random matrix `[rows, columns]` whose rows (or columns, if those are fewer) are orthonormal:
 * the vectors of a normal sample, each without its share in the ones before. Done here in float64,
 * since it is one long chain of tiny steps that no plan would make faster.
 */
export function orthogonalRows(rows: number, columns: number): Tensor {
  const count = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  const sample = Float64Array.from(randn([count, length]).dataSync());
  const vector = (i: number): Float64Array => sample.subarray(i * length, (i + 1) * length);
  for (let i = 0; i < count; i++) {
    const v = vector(i);
    // Twice is enough: the second pass removes what rounding left of the first.
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const u = vector(j);
        const share = dot(u, v);
        for (let k = 0; k < length; k++) v[k] -= share * u[k];
      }
    }
    const norm = Math.sqrt(dot(v, v));
    for (let k = 0; k < length; k++) v[k] /= norm;
  }
  const matrix = fromTypedArray(Float32Array.from(sample), [count, length]);
  return rows <= columns ? matrix : matrix.t();
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
