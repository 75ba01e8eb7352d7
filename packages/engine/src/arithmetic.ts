// What arithmetic on one pair of numbers means where JavaScript has it otherwise: backends share it.

/** The remainder with the sign of the divisor. */
export function modulo(a: number, b: number): number {
  const rest = a % b; // exact, with the sign of a
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** `⌊a / b⌋`, also where `a / b` would round up to an integer. */
export function floorDivide(a: number, b: number): number {
  if (b === 0) return a / b;
  const rest = a % b;
  const quotient = (a - rest) / b - (rest !== 0 && rest < 0 !== b < 0 ? 1 : 0);
  return Math.round(quotient);
}

/** C's `pow`, which differs from JavaScript's where the base is 1 or -1. */
export function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return a ** b;
}

/** Wraps around. A negative exponent gives the power cut off: 0, unless the base is 1 or -1. */
export function integerPower(base: number, exponent: number): number {
  if (exponent < 0) return base === 1 ? 1 : base === -1 ? (exponent % 2 === 0 ? 1 : -1) : 0;
  let product = 1;
  for (let square = base, rest = exponent; rest > 0; rest >>= 1) {
    if (rest & 1) product = Math.imul(product, square);
    square = Math.imul(square, square);
  }
  return product;
}
