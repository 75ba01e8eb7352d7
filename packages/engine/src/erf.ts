// Coefficients from the highest power down.
const nearNumerator = [
  0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694,
];
const nearDenominator = [
  1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171,
];
const farNumerator = [
  2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163,
  298.6351381974001, 881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
];
const farDenominator = [
  1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903,
  3290.7992357334597, 4362.619090143247, 3439.3676741437216, 1230.3393548037495,
];

/**
 * The error function `2/√π ∫₀ˣ e^(-t²) dt` in double precision, with a relative error below 1e-15.
 *
 * - Paper: Cody 1969, Rational Chebyshev approximations for the error function,
 *   https://doi.org/10.1090/S0025-5718-1969-0247736-4. Two of its three intervals: the one for the
 *   middle serves the tail too, where what it gives, `1 - erf x`, need not have many correct digits.
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size <= 0.46875) {
    return (x * polynomial(nearNumerator, x * x)) / polynomial(nearDenominator, x * x);
  }
  if (size > 6) return Math.sign(x);
  const rest =
    (Math.exp(-x * x) * polynomial(farNumerator, size)) / polynomial(farDenominator, size);
  return x < 0 ? rest - 1 : 1 - rest;
}

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (const coefficient of coefficients) sum = sum * x + coefficient;
  return sum;
}
