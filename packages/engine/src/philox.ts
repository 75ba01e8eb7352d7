/**
 * One 32-bit word of Philox4x32-10, a random function of its arguments: with the counter
 * `(counter, 0, stream, 0)` and the key `(key0, key1)`, which of the four words of the output `word`
 * says. Integers in, taken modulo 2³²; an int32 out.
 *
 * - Paper: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3,
 *   https://doi.org/10.1145/2063384.2063405
 */
export function philox(
  counter: number,
  stream: number,
  key0: number,
  key1: number,
  word: number,
): number {
  let c0 = counter | 0;
  let c1 = 0;
  let c2 = stream | 0;
  let c3 = 0;
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  return word === 0 ? c0 : word === 1 ? c1 : word === 2 ? c2 : c3;
}

/** The upper 32 bits of the unsigned 64-bit product. Every intermediate is below 2⁵³, so doubles hold it exactly. */
function multiplyHigh(a: number, b: number): number {
  const factor = b >>> 0;
  const low = Math.floor(((a & 0xffff) * factor) / 0x10000);
  return Math.floor(((a >>> 16) * factor + low) / 0x10000) | 0;
}
