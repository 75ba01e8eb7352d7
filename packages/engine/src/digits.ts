/**
 * The digits of which two ways to write a number are both made: those of `[6, 4]` and `[2, 3, 2, 2]` are `[2, 3, 2, 2]`.
 *
 * @param one - Sizes of digits, outermost first. Their product is that of the others.
 * @returns `undefined` if a digit of one way ends inside of a digit of the other and does not divide it: `[6, 4]`, `[4, 6]`.
 */
export function commonDigits(
  one: readonly number[],
  other: readonly number[],
): readonly number[] | undefined {
  if (one.includes(0)) return [0];
  const [left, right] = [one, other].map((sizes) => sizes.filter((size) => size !== 1));
  const digits: number[] = [];
  // From the inside: the smaller digit, and what it leaves of the larger one.
  let [x, y] = [1, 1];
  for (;;) {
    if (x === 1) x = left.pop() ?? 1;
    if (y === 1) y = right.pop() ?? 1;
    if (x === 1 && y === 1) return digits.length > 0 ? digits : [1];
    const digit = Math.min(x, y);
    if (digit < 2 || Math.max(x, y) % digit !== 0) return undefined;
    digits.unshift(digit);
    x /= digit;
    y /= digit;
  }
}
