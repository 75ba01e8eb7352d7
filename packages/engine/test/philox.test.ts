import { describe, expect, test } from "vitest";
import { philox } from "../src/philox.ts";

/** Philox4x32-10 as the paper writes it, in big integers, for any counter. */
function reference(counter: readonly bigint[], key: readonly bigint[]): string[] {
  const mask = 0xffffffffn;
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * c0;
    const p1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map((word) => word.toString(16).padStart(8, "0"));
}

function words(counter: number, stream: number, key0: number, key1: number): string[] {
  return [0, 1, 2, 3].map((word) => {
    const value = philox(counter, stream, key0, key1, word);
    expect(value | 0).toBe(value);
    return (value >>> 0).toString(16).padStart(8, "0");
  });
}

describe("philox", () => {
  // The vectors that come with the authors' library Random123.
  test("the reference of this test gives the published words", () => {
    const ones = 0xffffffffn;
    expect(reference([0n, 0n, 0n, 0n], [0n, 0n])).toEqual(
      "6627e8d5 e169c58d bc57ac4c 9b00dbd8".split(" "),
    );
    expect(reference([ones, ones, ones, ones], [ones, ones])).toEqual(
      "408f276d 41c83b0e a20bc7c6 6d5451fd".split(" "),
    );
    const pi = [0x243f6a88n, 0x85a308d3n, 0x13198a2en, 0x03707344n];
    expect(reference(pi, [0xa4093822n, 0x299f31d0n])).toEqual(
      "d16cfe09 94fdcceb 5001e420 24126ea1".split(" "),
    );
  });

  test("gives the published words for zeros", () => {
    expect(words(0, 0, 0, 0)).toEqual("6627e8d5 e169c58d bc57ac4c 9b00dbd8".split(" "));
  });

  test("equals the reference for edges and others", () => {
    const edges = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 0xffff, 0x10000, 123456789, -987654321];
    for (const counter of edges) {
      for (const stream of edges) {
        for (const [key0, key1] of [
          [0, 0],
          [-1, 1],
          [77, -(2 ** 31)],
        ]) {
          const big = (x: number): bigint => BigInt(x >>> 0);
          expect(words(counter, stream, key0, key1)).toEqual(
            reference([big(counter), 0n, big(stream), 0n], [big(key0), big(key1)]),
          );
        }
      }
    }
  });
});
